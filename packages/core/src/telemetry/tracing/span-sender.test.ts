import { expect } from 'chai';
import { fakePorts, settle, type FakeTime } from '../../testing/fake-ports.js';
import { RecordingLogger } from '../../testing/recording-logger.js';
import { PolicyMetrics } from '../policy-metrics.js';
import type { SpanExporter } from './span-exporter.js';
import type { SpanRecord } from './span-record.js';
import { SpanSender } from './span-sender.js';

function span(name: string): SpanRecord {
  return {
    ...{ traceId: '1'.repeat(32), spanId: '2'.repeat(16), parentSpanId: undefined, tracestate: undefined },
    ...{ kind: 'client', name, startMs: 0, durationMs: 1, tags: {}, events: [], error: undefined },
  };
}

interface Rig {
  readonly sender: SpanSender;
  readonly time: FakeTime;
  readonly batches: string[][];
  readonly logger: RecordingLogger;
  opened: number;
  closed: number;
  /** What the collector does with a batch. */
  answer: () => Promise<void>;
  counts(): Record<string, number>;
}

function senderRig(): Rig {
  const { time, ...ports } = fakePorts();
  const metrics = new PolicyMetrics();
  const logger = new RecordingLogger();
  const exporter: SpanExporter = {
    export: (spans) => {
      rig.batches.push(spans.map(({ name }) => name));
      return rig.answer();
    },
    close: () => Promise.resolve(void rig.closed++),
  };
  const factory = { open: () => Promise.resolve((rig.opened++, exporter)) };
  const settings = { uri: undefined, timeoutMs: 10_000, service: 's', tags: new Map(), more: new Map(), logger, ports };
  const counter = metrics.counter('spans');
  const options = { batchSize: 3, batchIntervalMs: 1_000, maxQueued: 5 };
  const rig: Rig = {
    ...{ sender: new SpanSender({ ports, factory, settings, counter }, options), time, batches: [], logger },
    ...{ opened: 0, closed: 0, answer: () => Promise.resolve() },
    counts: () => Object.fromEntries(counter.samples().map(({ labels, value }) => [labels['result'] ?? '', value])),
  };
  return rig;
}

describe('sending spans', () => {
  it('opens the exporter with the first batch, which goes when it is full or its time has come', async () => {
    const rig = senderRig();
    expect(rig.time.pendingTimers).to.equal(0);
    rig.sender.offer(span('a'));
    expect(rig.opened).to.equal(0);
    await rig.time.advanceAsync(1_200);
    expect(rig.batches).to.deep.equal([['a']]);
    for (const name of ['b', 'c', 'd', 'e']) rig.sender.offer(span(name));
    await rig.time.advanceAsync(1);
    expect(rig.batches.slice(1)).to.deep.equal([['b', 'c', 'd']]);
    await rig.time.advanceAsync(1_200);
    expect(rig.batches.slice(2)).to.deep.equal([['e']]);
    expect(rig.opened).to.equal(1);
    expect(rig.counts()).to.deep.equal({ exported: 5 });
    expect(rig.time.pendingTimers).to.equal(0);
  });

  it('keeps no more than it may while a collector is slow, and counts what is dropped', async () => {
    const rig = senderRig();
    let release = (): void => {};
    rig.answer = () => new Promise((resolve) => (release = resolve));
    for (const name of ['a', 'b', 'c']) rig.sender.offer(span(name));
    await rig.time.advanceAsync(1);
    for (let i = 0; i < 8; i++) rig.sender.offer(span(`x${i}`));
    expect(rig.sender.queued).to.equal(5);
    expect(rig.counts()).to.deep.equal({ dropped: 3 });
    rig.answer = () => Promise.resolve();
    release();
    await rig.time.advanceAsync(1);
    await rig.time.advanceAsync(1_200);
    expect(rig.batches.flat()).to.deep.equal(['a', 'b', 'c', 'x0', 'x1', 'x2', 'x3', 'x4']);
  });

  it('gives up a batch that a collector never answers, pauses, says so once, and tries again', async () => {
    const rig = senderRig();
    rig.answer = () => new Promise(() => {});
    rig.sender.offer(span('a'));
    await rig.time.advanceAsync(1_200);
    await rig.time.advanceAsync(10_500);
    expect(rig.counts()).to.deep.equal({ failed: 1 });
    rig.answer = () => Promise.reject(new Error('ECONNREFUSED'));
    rig.sender.offer(span('b'));
    await rig.time.advanceAsync(1_000);
    expect(rig.counts()).to.deep.equal({ failed: 2 });
    rig.answer = () => Promise.resolve();
    rig.sender.offer(span('c'));
    await rig.time.advanceAsync(2_000);
    expect(rig.counts()).to.deep.equal({ failed: 2, exported: 1 });
    expect(rig.logger.lines.map(({ level }) => level)).to.deep.equal(['warn', 'info']);
  });

  it('sends what is left when it is closed, and nothing after', async () => {
    const rig = senderRig();
    for (const name of ['a', 'b', 'c', 'd']) rig.sender.offer(span(name));
    await rig.sender.close();
    expect(rig.batches).to.deep.equal([['a', 'b', 'c'], ['d']]);
    expect(rig.closed).to.equal(1);
    rig.sender.offer(span('late'));
    expect(rig.counts()).to.deep.equal({ exported: 4, dropped: 1 });
    expect(rig.time.pendingTimers).to.equal(0);
  });

  it('waits no longer than a second for a dead collector when it is closed', async () => {
    const rig = senderRig();
    rig.answer = () => new Promise(() => {});
    rig.sender.offer(span('a'));
    const closed = rig.sender.close();
    await rig.time.advanceAsync(1_000);
    await settle();
    await closed;
    expect(rig.closed).to.equal(1);
  });
});
