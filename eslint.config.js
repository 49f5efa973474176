import { readFileSync } from 'node:fs';
import mocha from 'eslint-plugin-mocha';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { ARROWS, HOMES } from './scripts/eslint/architecture.mjs';
import { mesherPlugin } from './scripts/eslint/plugin.mjs';
import { timeAndChanceRules } from './scripts/eslint/time-and-chance.mjs';

const root = import.meta.dirname;
const rootDevDependencies = Object.keys(
  JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')).devDependencies,
);

const TYPESCRIPT = ['{packages,examples}/*/src/**/*.ts', '{bench,e2e}/src/**/*.ts'];
const PACKAGE_SOURCES = ['packages/*/src/**/*.ts'];
const TESTS = ['**/*.test.ts'];
/** Helpers that only tests use. */
const TEST_HELPERS = ['packages/*/src/**/testing/**/*.ts'];
const PLAIN_SCRIPTS = ['**/*.js', '**/*.mjs', '**/*.cjs'];

/** Globals that Node gives to plain scripts; TypeScript files get theirs from the compiler. */
const NODE_GLOBALS = Object.fromEntries(
  [
    ...['process', 'console', 'Buffer', 'URL', 'URLSearchParams', 'AbortController', 'AbortSignal', 'fetch'],
    ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'queueMicrotask', 'performance'],
    ...['describe', 'it', 'before', 'after', 'beforeEach', 'afterEach'],
  ].map((name) => [name, 'readonly']),
);

export default defineConfig(
  globalIgnores(['**/dist/', '**/node_modules/', 'coverage/', '.cache/', '.nx/']),
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { mesher: mesherPlugin },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },

  {
    name: 'mesher/plain-scripts',
    files: PLAIN_SCRIPTS,
    languageOptions: { ecmaVersion: 2025, sourceType: 'module', globals: NODE_GLOBALS },
    rules: { 'no-undef': 'error', 'no-unused-vars': 'error' },
  },

  {
    name: 'mesher/typescript',
    files: TYPESCRIPT,
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/no-implied-eval': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'mesher/declared-dependencies': ['error', { rootDevDependencies }],
      'mesher/explicit-inject': 'error',
      'mesher/import-boundaries': ['error', { root, arrows: ARROWS, homes: HOMES }],
      'no-restricted-exports': [
        'error',
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
    },
  },

  {
    name: 'mesher/packages',
    files: PACKAGE_SOURCES,
    rules: { ...timeAndChanceRules, 'no-console': 'error' },
  },
  {
    name: 'mesher/published-modules',
    files: PACKAGE_SOURCES,
    ignores: [...TESTS, ...TEST_HELPERS],
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      'mesher/no-module-state': 'error',
    },
  },
  {
    name: 'mesher/time-and-chance-live-here',
    files: ['packages/core/src/ports/**/*.ts', ...TEST_HELPERS],
    rules: Object.fromEntries(Object.keys(timeAndChanceRules).map((rule) => [rule, 'off'])),
  },
  {
    name: 'mesher/the-command-prints',
    files: ['packages/mesher/src/**/*.ts'],
    rules: { 'no-console': 'off' },
  },

  {
    name: 'mesher/tests',
    files: ['**/*.test.{ts,mjs}'],
    plugins: { mocha },
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off', // chai: expect(x).to.be.true
      'mocha/handle-done-callback': 'error',
      'mocha/no-async-suite': 'error',
      'mocha/no-empty-title': 'error',
      'mocha/no-exclusive-tests': 'error',
      'mocha/no-exports': 'error',
      'mocha/no-identical-title': 'error',
      'mocha/no-nested-tests': 'error',
      'mocha/no-return-and-callback': 'error',
    },
  },
);
