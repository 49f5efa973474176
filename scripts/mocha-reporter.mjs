import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';

const { Base } = Mocha.reporters;
const { constants } = Mocha.Runner;

/** How long the process may stay alive after the last test before that counts as a leak. Closing sockets takes less. */
const LEAK_AFTER_MS = 10_000;

/** The suites around a test or hook, from the outermost inward, without mocha's nameless root. */
function suitesOf(runnable) {
  const suites = [];
  for (let suite = runnable.parent; suite && !suite.root; suite = suite.parent) suites.unshift(suite);
  return suites;
}

function outermostSuite(runnable) {
  return suitesOf(runnable)[0] ?? runnable.parent;
}

/** The reason that `skipBecause` left on the test, or on a `before` hook of one of its suites. */
function skipReason(test) {
  if (test.skipReason !== undefined) return test.skipReason;
  for (const suite of suitesOf(test).reverse()) {
    for (const hook of [...suite._beforeAll, ...suite._beforeEach]) {
      if (hook.skipReason !== undefined) return hook.skipReason;
    }
  }
  return undefined;
}

function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * Prints one line per outermost suite, every failure whole, every skipped test with its reason, and closes with
 * `N passed, N failed` (`, N skipped`) alone on a line.
 *
 * Reporter options: `rank` (name of this run in the summary, default `tests`), `detail=tests` (one line per test, for slow
 * suites), `leakAfterMs`. With `MESHER_TEST_SUMMARY=FILE` in the environment it appends `{rank, passed, failed, skipped}` as one
 * line of JSON to FILE.
 */
export default class SummaryReporter extends Base {
  #print;
  #options;
  #tallies = new Map();
  #skipped = [];

  constructor(runner, options) {
    super(runner, options);
    this.#print = (line = '') => Base.consoleLog('%s', line);
    this.#options = { rank: 'tests', detail: 'suites', leakAfterMs: LEAK_AFTER_MS, ...this.options.reporterOption };

    runner.on(constants.EVENT_SUITE_BEGIN, (suite) => this.#suiteBegins(suite));
    runner.on(constants.EVENT_TEST_PASS, (test) => this.#ended(test, 'passed'));
    runner.on(constants.EVENT_TEST_FAIL, (test) => this.#ended(test, 'failed'));
    runner.on(constants.EVENT_TEST_PENDING, (test) => {
      this.#skipped.push(test);
      this.#ended(test, 'skipped');
    });
    runner.on(constants.EVENT_SUITE_END, (suite) => this.#suiteEnds(suite));
    runner.once(constants.EVENT_RUN_END, () => this.#close());
  }

  #suiteBegins(suite) {
    if (this.#options.detail === 'tests' && suite.parent?.root) this.#print(suite.title);
  }

  #ended(test, result) {
    const suite = outermostSuite(test);
    const tally = this.#tallies.get(suite) ?? { passed: 0, failed: 0, skipped: 0, durationMs: 0 };
    this.#tallies.set(suite, tally);
    tally[result]++;
    tally.durationMs += test.duration ?? 0;
    if (this.#options.detail !== 'tests') return;
    const title = [...suitesOf(test).slice(1), test].map((part) => part.title).join(' ');
    this.#print(`  ${this.#mark(result)} ${title} ${Base.color('light', `(${test.duration ?? 0} ms)`)}`);
  }

  #suiteEnds(suite) {
    const tally = this.#tallies.get(suite);
    if (this.#options.detail === 'tests' || tally === undefined) return;
    const { passed, failed, skipped, durationMs } = tally;
    const parts = [plural(passed + failed + skipped, 'test')];
    if (failed > 0) parts.push(`${failed} failed`);
    if (skipped > 0) parts.push(`${skipped} skipped`);
    parts.push(`${durationMs} ms`);
    const result = failed > 0 ? 'failed' : passed > 0 ? 'passed' : 'skipped';
    const title = suite.root ? 'tests outside of any suite' : suite.title;
    this.#print(`  ${this.#mark(result)} ${title} ${Base.color('light', `(${parts.join(', ')})`)}`);
  }

  /** Own characters: those of `Base.symbols` bring their colour with them, in CI even into a file. */
  #mark(result) {
    if (result === 'passed') return Base.color('checkmark', '✔');
    if (result === 'failed') return Base.color('fail', '✖');
    return Base.color('pending', '-');
  }

  #close() {
    if (this.failures.length > 0) {
      this.#print();
      Base.list(this.failures);
    }
    if (this.#skipped.length > 0) {
      this.#print();
      this.#print('Skipped:');
      for (const test of this.#skipped) {
        this.#print(`  - ${test.fullTitle()}: ${skipReason(test) ?? 'no reason given'}`);
      }
    }

    const { passes: passed, failures: failed, pending: skipped } = this.stats;
    this.#print();
    this.#print(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);

    const file = process.env.MESHER_TEST_SUMMARY;
    if (file) appendFileSync(file, `${JSON.stringify({ rank: this.#options.rank, passed, failed, skipped })}\n`);
    this.#watchForLeaks();
  }

  /** Turns "hangs after the last test" into a failure that says what is still open. */
  #watchForLeaks() {
    const watch = setTimeout(() => {
      const open = process.getActiveResourcesInfo().join(', ') || 'nothing that Node can name';
      this.#print(`The tests are over, but something that they opened keeps the process alive: ${open}`);
      process.on('exit', () => (process.exitCode = 1)); // mocha sets the number of failures in an earlier listener
      process.exit(1);
    }, Number(this.#options.leakAfterMs));
    watch.unref();
  }
}
