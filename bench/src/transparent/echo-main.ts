import { connect } from 'node:net';
import { endWithParent, readTask, report } from '../load/helper.js';
import { LatencyHistogram } from '../load/latency-histogram.js';

/** One byte there and back over one connection, again and again: what a relay adds to each. */
export interface EchoTask {
  readonly host: string;
  readonly port: number;
  readonly seconds: number;
}

export interface EchoResult {
  readonly turns: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
}

const task = readTask<EchoTask>();
const latencies = new LatencyHistogram();
const end = performance.now() + task.seconds * 1e3;
let turns = 0;
let sentAt = 0;
endWithParent();
const socket = connect({ host: task.host, port: task.port, noDelay: true });
const say = (): void => {
  sentAt = performance.now();
  // No letter: it might become a request, for which whoever sees requests has to wait.
  socket.write('\x00');
};
socket.on('connect', say);
socket.on('data', () => {
  const now = performance.now();
  latencies.record((now - sentAt) * 1e3);
  turns += 1;
  if (now < end) {
    say();
    return;
  }
  report({ turns, p50Micros: latencies.percentile(0.5), p99Micros: latencies.percentile(0.99) } satisfies EchoResult);
  process.exit(0);
});
socket.on('error', (error) => {
  process.stderr.write(String(error));
  process.exit(1);
});
