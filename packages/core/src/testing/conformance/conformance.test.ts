import { runExplained, runInProcess } from './in-process-host.js';
import { loadConformanceTable } from './load-table.js';

const table = await loadConformanceTable();

/** Chance is real in a sidecar: a case that holds for some beginnings only would fail there now and then. */
const OTHER_SEEDS = [2, 3, 4, 5, 6];

describe('the conformance table, in process', () => {
  for (const { topic, cases } of table) {
    describe(topic, () => {
      for (const one of cases.filter(({ hosts }) => hosts.includes('in-process'))) {
        it(one.name, async () => {
          await runInProcess(one);
        });
        it(`${one.name}, whoever is first`, async () => {
          for (const seed of OTHER_SEEDS) await runInProcess(one, seed);
        });
      }
    });
  }
});

describe('explain and the calls of the conformance table', () => {
  for (const { topic, cases } of table) {
    describe(topic, () => {
      for (const one of cases.filter(({ hosts, refused }) => hosts.includes('in-process') && refused === undefined)) {
        it(`agree: ${one.name}`, async () => {
          await runExplained(one);
        });
      }
    });
  }
});
