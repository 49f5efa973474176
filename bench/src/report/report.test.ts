import { expect } from 'chai';
import type { Candidate } from '../candidates/candidate.js';
import { Results } from '../measure/results.js';
import { selectRows } from '../measure/rows.js';
import { hasFailed, renderReport, type ReportInput } from './report.js';

function candidate(id: string): Candidate {
  return { id, layer: 'l7', label: `The ${id}`, prepare: () => Promise.reject(new Error('not started in this test')) };
}

function input(results: Results, overrides: Partial<ReportInput> = {}): ReportInput {
  return {
    date: new Date('2026-11-21T10:00:00Z'),
    machine: 'a machine',
    versions: [],
    method: [],
    rows: selectRows(['l7-128-c64', 'l7-rate']),
    candidates: [candidate('haproxy'), candidate('other')],
    results,
    missing: [],
    failed: [],
    remarks: [],
    ...overrides,
  };
}

describe('renderReport', () => {
  it('shows medians, the least sample and the ratio to the peer', () => {
    const results = new Results();
    for (const cpuMicros of [10, 12, 11]) results.add('l7-128-c64', 'haproxy', { values: { cpuMicros } });
    results.add('l7-128-c64', 'other', { values: { cpuMicros: 22 } });
    const line = renderReport(input(results))
      .split('\n')
      .filter((text) => text.startsWith('| The'));
    expect(line[0]).to.match(/11\.0 \(10\.0\) .* 1\.00 \|\s+3 \|$/);
    expect(line[1]).to.match(/22\.0 \(22\.0\) .* 2\.00 \|\s+1 \|$/);
  });

  it('marks invalid samples in the cell and gives their reasons', () => {
    const results = new Results();
    results.add('l7-128-c64', 'haproxy', { values: { cpuMicros: 10 } });
    results.add('l7-128-c64', 'haproxy', { values: {}, fault: '2 timeouts' });
    const text = renderReport(input(results));
    expect(text).to.include('1 of 2, INVALID 1');
    expect(text).to.include('- INVALID: l7-128-c64, haproxy: 2 timeouts');
    expect(hasFailed(input(results))).to.equal(false);
  });

  it('has failed when a cell has no valid sample or a candidate was left out', () => {
    const results = new Results();
    results.add('l7-128-c64', 'haproxy', { values: {}, fault: '2 timeouts' });
    expect(hasFailed(input(results))).to.equal(true);
    expect(hasFailed(input(new Results(), { failed: [{ id: 'x', reason: 'y' }] }))).to.equal(true);
    expect(hasFailed(input(new Results()))).to.equal(false);
  });

  it('names what could not be measured, and why', () => {
    const text = renderReport(input(new Results(), { missing: [{ id: 'envoy', reason: 'not installed' }] }));
    expect(text).to.include('- Not measured: envoy: not installed');
    expect(text).to.include('Measured on 2026-11-21');
  });

  it('shows the latency without a proxy beside the candidates at a fixed rate', () => {
    expect(renderReport(input(new Results()))).to.include('| no proxy ');
  });
});
