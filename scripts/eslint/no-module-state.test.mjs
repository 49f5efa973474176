import { noModuleState } from './no-module-state.mjs';
import { typescriptRuleTester } from './rule-tester.mjs';

typescriptRuleTester().run('mesher/no-module-state', noModuleState, {
  valid: [
    { name: 'accepts a constant', code: 'export const LIMIT = 5;' },
    { name: 'accepts a filled table', code: "const NAMES = new Map([['a', 1]]); const LIST = ['a'];" },
    { name: 'accepts an empty list that says it is readonly', code: 'const NONE: readonly string[] = [];' },
    {
      name: 'accepts an empty map that says it is readonly',
      code: 'const NONE: ReadonlyMap<string, string> = new Map();',
    },
    {
      name: 'accepts state inside a function',
      code: 'export function count() { let n = 0; const seen = new Set(); return n + seen.size; }',
    },
    {
      name: 'accepts a loop at module level',
      code: 'const TABLE = new Uint8Array(256); for (let i = 0; i < 32; i++) TABLE[i] = 1;',
    },
    {
      name: 'accepts instance fields and readonly static fields',
      code: 'class A { n = 0; static readonly LIMIT = 5; }',
    },
    { name: 'accepts ambient declarations', code: 'declare let injected: string;' },
  ],
  invalid: [
    {
      name: 'reports let',
      code: 'let current: string | undefined;',
      errors: [{ messageId: 'binding', data: { kind: 'let' } }],
    },
    {
      name: 'reports an exported let',
      code: 'export let current = 1;',
      errors: [{ messageId: 'binding', data: { kind: 'let' } }],
    },
    { name: 'reports var', code: 'var current = 1;', errors: [{ messageId: 'binding', data: { kind: 'var' } }] },
    {
      name: 'reports an empty map, the usual cache',
      code: 'const cache = new Map<string, string>();',
      errors: [{ messageId: 'container', data: { name: 'cache' } }],
    },
    {
      name: 'reports an empty list and an empty object, also behind an assertion',
      code: 'export const list: string[] = []; const index = {} as Record<string, number>;',
      errors: [
        { messageId: 'container', data: { name: 'list' } },
        { messageId: 'container', data: { name: 'index' } },
      ],
    },
    {
      name: 'reports static fields that can change',
      code: 'class A { static instance: A; static #count = 0; }',
      errors: [
        { messageId: 'static', data: { name: 'instance' } },
        { messageId: 'static', data: { name: '#count' } },
      ],
    },
  ],
});
