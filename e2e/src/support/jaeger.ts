import { builtProgram } from './built-program.js';
import { eventually } from './eventually.js';
import type { Scene } from './scene.js';
import type { SpawnedProcess } from './spawned-process.js';

/** Where each part of a Jaeger listens. */
export interface JaegerPorts {
  /** UDP, Thrift's compact protocol. */
  readonly agent: number;
  /** HTTP: what is sampled. */
  readonly sampling: number;
  /** HTTP, Thrift's binary protocol. */
  readonly collector: number;
  readonly otlp: number;
  readonly zipkin: number;
  readonly query: number;
  /** What nobody here speaks to, in the order of `REST`. */
  readonly rest: readonly number[];
}

const REST = [
  'admin.http.host-port',
  'collector.grpc-server.host-port',
  'collector.otlp.grpc.host-port',
  'processor.jaeger-binary.server-host-port',
  'processor.zipkin-compact.server-host-port',
  'query.grpc-server.host-port',
] as const;

/** As every Jaeger has them, for a host of its own. */
export const USUAL_PORTS: JaegerPorts = {
  ...{ agent: 6831, sampling: 5778, collector: 14268, otlp: 4318, zipkin: 9411, query: 16686 },
  rest: [14269, 14250, 4317, 6832, 5775, 16685],
};

/** What it prints when all parts listen. */
export const JAEGER_READY = /"status":"ready"/;

/** Arguments of `all-in-one`. @param strategies path of a file that says what is sampled */
export function jaegerArgs(host: string, ports: JaegerPorts, strategies?: string): string[] {
  const listen: readonly (readonly [string, number | undefined])[] = [
    ['processor.jaeger-compact.server-host-port', ports.agent],
    ['http-server.host-port', ports.sampling],
    ['collector.http-server.host-port', ports.collector],
    ['collector.otlp.http.host-port', ports.otlp],
    ['collector.zipkin.host-port', ports.zipkin],
    ['query.http-server.host-port', ports.query],
    ...REST.map((flag, index) => [flag, ports.rest[index]] as const),
  ];
  return [
    ...listen.map(([flag, port]) => `--${flag}=${host}:${port}`),
    ...(strategies === undefined ? [] : [`--sampling.strategies-file=${strategies}`]),
  ];
}

/** A span as Jaeger's query API has it. */
export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly parent: string;
  readonly operationName: string;
  readonly service: string;
  /** Tags of the span, with their types. */
  readonly tags: Readonly<Record<string, string | number | boolean>>;
  /** Tags of the process. */
  readonly processTags: Readonly<Record<string, string | number | boolean>>;
  readonly logs: readonly Readonly<Record<string, string | number | boolean>>[];
  /** Microseconds. */
  readonly startTime: number;
  readonly duration: number;
}

interface KeyValue {
  readonly key: string;
  readonly value: string | number | boolean;
}

interface RawTrace {
  readonly spans: readonly {
    readonly traceID: string;
    readonly spanID: string;
    readonly processID: string;
    readonly operationName: string;
    readonly references: readonly { readonly refType: string; readonly spanID: string }[];
    readonly tags: readonly KeyValue[];
    readonly logs: readonly { readonly fields: readonly KeyValue[] }[];
    readonly startTime: number;
    readonly duration: number;
  }[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string; readonly tags: readonly KeyValue[] }>>;
}

/** The spans of an answer of `/api/traces`. */
export function spansOf(answer: string): JaegerSpan[] {
  const { data } = JSON.parse(answer) as { readonly data: readonly RawTrace[] };
  const table = (tags: readonly KeyValue[]): Record<string, string | number | boolean> =>
    Object.fromEntries(tags.map(({ key, value }) => [key, value]));
  return data.flatMap(({ spans, processes }) =>
    spans.map(({ traceID, spanID, processID, operationName, references, tags, logs, startTime, duration }) => ({
      ...{ traceID, spanID, operationName, startTime, duration, tags: table(tags) },
      parent: references.find(({ refType }) => refType === 'CHILD_OF')?.spanID ?? '',
      service: processes[processID]?.serviceName ?? '',
      processTags: table(processes[processID]?.tags ?? []),
      logs: logs.map(({ fields }) => table(fields)),
    })),
  );
}

/** A real Jaeger on ports of loopback, with what it got in its memory. */
export class Jaeger {
  process!: SpawnedProcess;

  private constructor(
    private readonly scene: Scene,
    readonly ports: JaegerPorts,
    private readonly strategies: string | undefined,
  ) {}

  /** Ready when it resolves. @param strategies content of a file that says what is sampled */
  static async start(scene: Scene, strategies?: object): Promise<Jaeger> {
    const take = (): Promise<number> => scene.ports.take();
    const rest: number[] = [];
    while (rest.length < REST.length) rest.push(await take());
    const ports: JaegerPorts = {
      ...{ agent: await take(), sampling: await take(), collector: await take() },
      ...{ otlp: await take(), zipkin: await take(), query: await take(), rest },
    };
    const file =
      strategies === undefined ? undefined : await scene.write('strategies.json', JSON.stringify(strategies));
    const jaeger = new Jaeger(scene, ports, file);
    await jaeger.start();
    return jaeger;
  }

  /** Starts the process, again after it has ended; what it knew is lost then. */
  async start(): Promise<void> {
    const args = jaegerArgs('127.0.0.1', this.ports, this.strategies);
    // It would send spans of its own to port 4317.
    this.process = this.scene.spawn('jaeger', builtProgram('all-in-one'), args, { OTEL_TRACES_SAMPLER: 'always_off' });
    await this.process.untilPrinted(JAEGER_READY);
  }

  /** All spans of the traces that a service has a part in. */
  async spans(service: string): Promise<JaegerSpan[]> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.query}/api/traces?service=${service}&limit=1000`);
    return spansOf(await answer.text());
  }

  /** Resolves with them as soon as there are so many. */
  async atLeast(service: string, count: number): Promise<JaegerSpan[]> {
    return await eventually(`${count} spans of ${service} in Jaeger`, async () => {
      const spans = await this.spans(service);
      return spans.length >= count && spans;
    });
  }
}
