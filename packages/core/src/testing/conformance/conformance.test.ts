import { runExplained, runInProcess } from './in-process-host.js';
import { loadConformanceTable } from './load-table.js';

const table = await loadConformanceTable();

describe('the conformance table, in process', () => {
  for (const { topic, cases } of table) {
    describe(topic, () => {
      for (const one of cases.filter(({ hosts }) => hosts.includes('in-process'))) {
        it(one.name, async () => {
          await runInProcess(one);
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
