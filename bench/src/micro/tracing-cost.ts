import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  HANDLER_NAMES,
  systemPorts,
  type InstalledPlugins,
  type PluginContext,
  type PluginKind,
  type PluginKinds,
  type Policy,
  type SpanExporterFactory,
  type SpanRecord,
} from '@mesher/core';
import { FakeCall, policyContext } from '@mesher/core/testing';
import { otlpExporter } from '@mesher/tracing-otel';

/**
 * What tracing costs: CPU per call of its policy alone, and CPU per exported span.
 * Run: `npx tsc -b bench && node bench/dist/micro/tracing-cost.js`
 */

/** Calls per sample: some hundred milliseconds each. */
const CALLS = 300_000;
/** Samples; the best one counts, for whatever disturbs only adds. */
const ROUNDS = 5;
/** Spans in a batch, as by default. */
const BATCH = 256;
const BATCHES = 60;

const OUTCOME = { status: 200, code: undefined, aborted: false, durationMs: 3 } as const;
const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** A call whose fields cost as little to look up as on the wire. */
class BenchCall extends FakeCall {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(headers: Readonly<Record<string, string>>) {
    super({ path: '/users/4711/orders?expand=items', startedAt: 1 });
    this.#fields = new Map(Object.entries(headers));
    this.destination = { service: 'world' };
  }

  override header(name: string): string | undefined {
    return this.#fields.get(name);
  }

  override addHeader(): void {
    // what it costs to write a field is the codec's matter
  }

  override removeHeader(): void {
    // as above
  }
}

/** An exporter that keeps the spans of one batch, and throws away the rest. */
class Sink implements SpanExporterFactory {
  last: readonly SpanRecord[] = [];

  open(): ReturnType<SpanExporterFactory['open']> {
    return Promise.resolve({
      export: (spans) => Promise.resolve(void (this.last = spans)),
      close: () => Promise.resolve(),
    });
  }
}

async function policyFor(yaml: string, sink: Sink): Promise<Policy> {
  const plugins: InstalledPlugins = {
    find: <K extends PluginKind>(kind: K) =>
      kind === 'span-exporter' ? (sink as unknown as PluginKinds[K]) : undefined,
    names: () => ['sink'],
  };
  const files = { 'tracing.yaml': yaml };
  const context = { ...(await policyContext({ files, plugins })), ports: systemPorts() };
  const make = HANDLER_NAMES['tracing-consumer'];
  if (typeof make !== 'function') throw new Error('there is no policy behind tracing-consumer');
  const policy = make(context);
  await policy.start?.();
  return policy;
}

/** Nanoseconds of CPU that `work` takes, by the number of its steps. */
async function cpuOf(steps: number, work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / steps;
}

async function costOf(yaml: string, headers: Readonly<Record<string, string>>, sink: Sink): Promise<number> {
  const policy = await policyFor(yaml, sink);
  const drive = async (): Promise<void> => {
    for (let i = 0; i < CALLS; i++) {
      const call = new BenchCall(headers);
      void policy.before?.(call);
      policy.after?.(call, OUTCOME);
      // As many calls as a turn of the event loop has under load; batches leave in between.
      if (i % BATCH === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, await cpuOf(CALLS, drive));
  return best;
}

/** What making the call and looping costs: to be taken off. */
async function baseline(headers: Readonly<Record<string, string>>): Promise<number> {
  let kept: unknown;
  const drive = async (): Promise<void> => {
    for (let i = 0; i < CALLS; i++) {
      kept = new BenchCall(headers);
      if (i % BATCH === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, await cpuOf(CALLS, drive));
  return kept === undefined ? 0 : best;
}

const COLLECTOR = `require('node:http').createServer((q, s) => q.resume().on('end', () => s.end('{}')))
  .listen(0, '127.0.0.1', function () { process.stdout.write(String(this.address().port)); });`;

/** Nanoseconds of CPU per span that goes to a collector in another process. */
async function exportCost(spans: readonly SpanRecord[]): Promise<number> {
  const collector = spawn(process.execPath, ['-e', COLLECTOR], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(collector.stdout, 'data')) as [Buffer];
  const factory = await otlpExporter.create(undefined, {} as PluginContext);
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const exporter = await factory.open({
    ...{ uri: `http://127.0.0.1:${port.toString()}`, timeoutMs: 5_000, service: 'shop', logger },
    ...{ tags: new Map(), more: new Map(), ports: systemPorts() },
  });
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const cost = await cpuOf(BATCHES * spans.length, async () => {
      for (let i = 0; i < BATCHES; i++) await exporter.export(spans);
    });
    best = Math.min(best, cost);
  }
  await exporter.close();
  collector.kill();
  return best;
}

const SINK = 'tracing: {tracer: sink, settings: {batchInterval: 10ms}';
const plain = { 'x-request-id': 'r1', 'user-agent': 'bench' };
const withContext = (flags: string) => ({ ...plain, traceparent: `00-${TRACE}-b7ad6b7169203331-${flags}` });
const sink = new Sink();
const COSTS: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
  ['on, a trace begins, not sampled', `${SINK}, samplingRate: 0}`, plain],
  ['on, the caller does not sample', `${SINK}}`, withContext('00')],
  ['on, sampled: recorded and queued', `${SINK}}`, withContext('01')],
];

const lines: string[] = ['| a call | CPU |', '|---|---|'];
const off = await policyFor('', sink);
lines.push(`| off | ${off.isActive === false ? '0 ns: the policy is left out of the chain' : 'it is not left out'} |`);
for (const [label, yaml, headers] of COSTS) {
  const own = (await costOf(yaml, headers, sink)) - (await baseline(headers));
  lines.push(`| ${label} | ${own.toFixed(0)} ns |`);
}
lines.push(`| and exported by OTLP | ${((await exportCost(sink.last)) / 1000).toFixed(1)} us more |`);
process.stdout.write(`${lines.join('\n')}\n`);
process.exit(0);
