import { loadConformanceTable, skipBecause, type ConformanceCase } from '@mesher/core/testing';
import { expectRefused, SidecarHost } from './support/conformance/sidecar-host.js';
import { FreePorts, canListen } from './support/free-ports.js';

const table = await loadConformanceTable();
const ports = new FreePorts();

/** Sidecars that start while a case runs: most of the time of a case goes into waiting, for its sidecar or for its own pauses. */
const AHEAD = 2;

/** Each case has a sidecar of its own, so that nothing that one case did is left for the next; it starts while cases before it run. */
class CaseQueue {
  readonly #started = new Map<ConformanceCase, Promise<SidecarHost>>();
  readonly #cases: readonly ConformanceCase[];

  constructor(cases: readonly ConformanceCase[]) {
    this.#cases = cases;
  }

  async run(one: ConformanceCase): Promise<void> {
    const host = await this.#start(one);
    const index = this.#cases.indexOf(one);
    for (const next of this.#cases.slice(index + 1, index + 1 + AHEAD)) {
      // Where a filter runs some cases only, those that it leaves out must not pile up.
      if (this.#started.size > AHEAD) break;
      // What goes wrong there is told when its turn has come.
      this.#start(next).catch(() => undefined);
    }
    try {
      await host.run();
    } catch (error) {
      console.log(host.logs);
      throw error;
    } finally {
      this.#started.delete(one);
      await host.close();
    }
  }

  async close(): Promise<void> {
    for (const started of this.#started.values()) await (await started.catch(() => undefined))?.close();
  }

  #start(one: ConformanceCase): Promise<SidecarHost> {
    let started = this.#started.get(one);
    if (started === undefined) {
      started = SidecarHost.start(one, ports, this.#cases.indexOf(one) + 1);
      this.#started.set(one, started);
    }
    return started;
  }
}

describe('the conformance table, through a sidecar', () => {
  const cases = table.flatMap((topic) => topic.cases).filter(({ hosts }) => hosts.includes('sidecar'));
  const queue = new CaseQueue(cases.filter(({ refused }) => refused === undefined));
  before(async function () {
    const has = await canListen('127.1.1.1');
    if (!has)
      skipBecause(this, '127.1.1.1 is no address of this machine; the instances of each case have such addresses');
  });
  after(() => queue.close());

  for (const topic of table) {
    describe(topic.topic, () => {
      for (const one of topic.cases.filter((candidate) => cases.includes(candidate))) {
        it(one.name, async () => {
          await (one.refused === undefined ? queue.run(one) : expectRefused(one));
        });
      }
    });
  }
});
