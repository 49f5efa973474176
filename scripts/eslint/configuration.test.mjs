import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ESLint } from 'eslint';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Lints `code` as if it were the content of an existing file. */
async function lint(file, code) {
  const [result] = await new ESLint({ cwd: root }).lintText(code, { filePath: `${root}${file}` });
  return result.messages.map(({ line, ruleId, message }) => ({ line, ruleId, message }));
}

describe('the lint configuration', function () {
  this.timeout(60_000); // loads the type checker

  it('names the port for every way around the ports', async () => {
    const ways = [
      ['Date.now();', 'ports.clock.wallTime()'],
      ['new Date();', 'ports.clock.wallTime()'],
      ['Date();', 'ports.clock.wallTime()'],
      ['performance.now();', 'ports.clock.now()'],
      ['process.hrtime.bigint();', 'ports.clock.now()'],
      ['Math.random();', 'ports.random.next()'],
      ['setTimeout(() => {}, 1);', 'ports.timers.after('],
      ['globalThis.setTimeout(() => {}, 1);', 'ports.timers.after('],
      ['setInterval(() => {}, 1);', 'ports.timers.every('],
      ["import {} from 'node:timers';", 'ports.timers.after('],
      ["import {} from 'node:timers/promises';", 'ports.timers.after('],
      ["import {} from 'timers/promises';", 'ports.timers.after('],
      ['AbortSignal.timeout(1);', 'ports.timers.after('],
    ];
    const messages = await lint('packages/core/src/index.ts', `${ways.map(([code]) => code).join('\n')}\n`);
    for (const [index, [code, port]] of ways.entries()) {
      const named = messages.filter(({ line, message }) => line === index + 1 && message.includes(port));
      expect(named, code).to.have.lengthOf(1);
    }
  });

  it('lets the ports themselves ask for time and chance', async () => {
    const messages = await lint('packages/core/src/ports/ports.ts', 'export const now = Date.now() + Math.random();\n');
    expect(messages).to.deep.equal([]);
  });

  it('accepts a date made from a wall time', async () => {
    const code = 'export const show = (wallTime: number): string => new Date(wallTime).toISOString();\n';
    expect(await lint('packages/core/src/index.ts', code)).to.deep.equal([]);
  });

  it('reports dropped promises, any, default exports, console and module state in a package', async () => {
    const code = [
      'export async function send(): Promise<void> {}',
      'send();',
      'export const loose: any = 1;',
      'export default loose;',
      'console.log(1);',
      'let state = 1;',
      'state++;',
      'export function infer() { return 1; }',
      "import { systemPorts as Ports } from './ports/system.js';",
      'export type P = typeof Ports;',
    ].join('\n');
    const rules = (await lint('packages/core/src/index.ts', `${code}\n`)).map(({ ruleId }) => ruleId);
    expect(rules).to.include.members([
      '@typescript-eslint/no-floating-promises',
      '@typescript-eslint/no-explicit-any',
      'no-restricted-exports',
      'no-console',
      'mesher/no-module-state',
      '@typescript-eslint/explicit-module-boundary-types',
      '@typescript-eslint/consistent-type-imports',
    ]);
  });

  it('stops a test that is run alone', async () => {
    const code = "describe.only('a', () => {\n  it.only('b', () => {});\n});\n";
    const rules = (await lint('scripts/eslint/configuration.test.mjs', code)).map(({ ruleId }) => ruleId);
    expect(rules).to.deep.equal(['mocha/no-exclusive-tests', 'mocha/no-exclusive-tests']);
  });
});
