import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../', import.meta.url));

describe('the mocha reporter', function () {
  this.timeout(30_000);
  let folder;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'mocha-reporter-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs mocha on one spec file; `summary` are the parsed lines of the summary file. */
  function run(spec, ...reporterOptions) {
    const specFile = path.join(folder, 'a.spec.mjs');
    const summaryFile = path.join(folder, 'summary.jsonl');
    writeFileSync(specFile, spec);
    const options = ['rank=unit', ...reporterOptions].flatMap((option) => ['--reporter-option', option]);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        'node_modules/mocha/bin/mocha.js',
        '--no-config',
        '--reporter',
        'scripts/mocha-reporter.mjs',
        ...options,
        specFile,
      ],
      { cwd: root, encoding: 'utf8', env: { ...process.env, MESHER_TEST_SUMMARY: summaryFile } },
    );
    const lines = stdout.trimEnd().split('\n');
    let summary = [];
    try {
      summary = readFileSync(summaryFile, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    } catch {
      // no summary was written
    }
    return { status, stdout, stderr, lines, lastLine: lines.at(-1), summary };
  }

  it('prints one line per green suite and closes with the counts', () => {
    const { status, lines, lastLine, summary } = run(`
      describe('scanner', () => {
        it('reads', () => {});
        describe('of heads', () => { it('stops', () => {}); });
      });`);
    expect(lines[0]).to.match(/scanner \(2 tests, \d+ ms\)$/);
    expect(lastLine).to.equal('2 passed, 0 failed');
    expect(summary).to.deep.equal([{ rank: 'unit', passed: 2, failed: 0, skipped: 0 }]);
    expect(status).to.equal(0);
  });

  it('prints failures whole, counts failed hooks, and exits with the number of failures', () => {
    const { status, stdout, lastLine, summary } = run(`
      import { strictEqual } from 'node:assert';
      describe('scanner', () => { it('reads', () => strictEqual('left', 'right')); it('stops', () => {}); });
      describe('relay', () => { before('opens', () => { throw new Error('no port'); }); it('copies', () => {}); });`);
    expect(stdout).to.match(/scanner \(2 tests, 1 failed, \d+ ms\)/);
    expect(stdout).to.include('+right').and.to.include('a.spec.mjs');
    expect(stdout).to.include('no port');
    expect(lastLine).to.equal('1 passed, 2 failed');
    expect(summary).to.deep.equal([{ rank: 'unit', passed: 1, failed: 2, skipped: 0 }]);
    expect(status).to.equal(2);
  });

  it('lists skipped tests with the reason that was left on the test or on the hook', () => {
    const { status, stdout, lastLine, summary } = run(`
      const skipBecause = (context, reason) => { context.runnable().skipReason = reason; context.skip(); };
      describe('intercept', () => {
        before(function () { skipBecause(this, 'needs root'); });
        it('redirects', () => {});
      });
      describe('curl', () => {
        it('calls', function () { skipBecause(this, 'curl is not installed'); });
        it.skip('waits', () => {});
      });`);
    expect(stdout).to.include('- intercept redirects: needs root');
    expect(stdout).to.include('- curl calls: curl is not installed');
    expect(stdout).to.include('- curl waits: no reason given');
    expect(lastLine).to.equal('0 passed, 0 failed, 3 skipped');
    expect(summary).to.deep.equal([{ rank: 'unit', passed: 0, failed: 0, skipped: 3 }]);
    expect(status).to.equal(0);
  });

  it('prints one line per test when asked for detail', () => {
    const { lines } = run(
      `describe('sidecar', () => { describe('drain', () => { it('ends calls', () => {}); }); });`,
      'detail=tests',
    );
    expect(lines[0]).to.equal('sidecar');
    expect(lines[1]).to.match(/drain ends calls \(\d+ ms\)$/);
  });

  it('fails a run that leaves something open and says what', () => {
    const { status, lastLine } = run(
      `import { createServer } from 'node:net';
       it('listens', (done) => { createServer().listen(0, done); });`,
      'leakAfterMs=100',
    );
    expect(lastLine).to.match(/keeps the process alive: .*TCPServerWrap/);
    expect(status).to.equal(1);
  });
});
