import { runInProcess } from './in-process-host.js';
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
