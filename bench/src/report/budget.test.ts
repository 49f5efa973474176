import { expect } from 'chai';
import { Results } from '../measure/results.js';
import { ROWS } from '../measure/rows.js';
import { budgetLines, budgetTable, judge, loadedRowIds, steadyRowIds } from './budget.js';

function lineOf(results: Results, promise: string) {
  const line = budgetLines(results).find((candidate) => candidate.promise === promise);
  if (line === undefined) throw new Error(`no line "${promise}"`);
  return line;
}

describe('budget', () => {
  it('holds the sidecar against HAProxy and says by how much a promise is missed', () => {
    const results = new Results();
    results.add('l7-128-c64', 'haproxy', { values: { cpuMicros: 10 } });
    results.add('l7-128-c64', 'mesher-bare', { values: { cpuMicros: 13 } });
    results.add('l7-128-c64', 'mesher', { values: { cpuMicros: 18 } });
    expect(judge(lineOf(results, 'bare, CPU per request, to HAProxy'))).to.equal('ok');
    expect(judge(lineOf(results, 'default chain and metrics, CPU per request, to HAProxy'))).to.equal('missed by 20 %');
    expect(judge(lineOf(results, 'default chain and metrics, CPU per request, to Envoy'))).to.equal('not measured');
  });

  it('holds unary gRPC calls against three peers, in both shapes of load', () => {
    const results = new Results();
    results.add('h2-unary-c64m1', 'nginx-grpc', { values: { cpuMicros: 20 } });
    results.add('h2-unary-c64m1', 'mesher-h2', { values: { cpuMicros: 17 } });
    const promise = (shape: string, peer: string): string =>
      `gRPC, default chain and metrics, CPU per unary call, ${shape}, to ${peer}`;
    expect(judge(lineOf(results, promise('64 connections x 1', 'nginx grpc_pass')))).to.equal('missed by 6 %');
    for (const peer of ['HAProxy', 'Envoy']) {
      expect(judge(lineOf(results, promise('8 connections x 16', peer))), peer).to.equal('not measured');
    }
  });

  it('never rounds a miss down to 0 %', () => {
    expect(judge({ promise: '', limit: 100, unit: 'ms', measured: 100.1 })).to.equal('missed by 1 %');
  });

  it('takes the latency without any proxy off the latency through the sidecar', () => {
    const results = new Results();
    results.add('l7-rate', 'direct', { values: { p99Micros: 300 } });
    results.add('l7-rate', 'mesher', { values: { p99Micros: 900 } });
    expect(lineOf(results, 'added p99 at 1,000 requests/s').measured).to.equal(600);
  });

  it('says that a promise was not measured when its samples are invalid', () => {
    const results = new Results();
    results.add('l4-down', 'nginx-stream-64k', { values: { cpuSecondsPerGb: 0.4 } });
    results.add('l4-down', 'mesher-tcp', { values: { cpuSecondsPerGb: 0.4 }, fault: 'cut off' });
    const line = lineOf(results, 'relay, CPU per GB down, to nginx with 64 KB buffers');
    expect(line.measured).to.equal(undefined);
    expect(budgetTable([line])).to.include('not measured');
  });

  it('names rows that exist', () => {
    const ids = ROWS.map(({ id }) => id);
    expect(ids).to.include.members([...loadedRowIds(), ...steadyRowIds(), 'h2-unary-c8m16', 'h2-unary-c64m1']);
    expect(loadedRowIds()).to.deep.equal(['l7-128-c64', 'l7-16k-c64', 'l4-128-c64']);
  });
});
