import type { LiveConfiguration } from '../../config/live/live-configuration.js';
import type { MeshDocument } from '../../config/document.js';
import type { TracingOptions } from '../../config/sections/tracing.js';
import { MeshError } from '../../errors.js';
import type { Invocation, Outcome } from '../../invocation.js';
import type { InstalledPlugins } from '../../plugin/installed-plugins.js';
import type { Ports, TimerHandle } from '../../ports/ports.js';
import type { Logger } from '../logger.js';
import type { PolicyMetrics } from '../policy-metrics.js';
import { addBaggage, readBaggage } from './baggage.js';
import type { CallTrace, OpenSpan } from './call-trace.js';
import { ContextTable, type ContextTableLimits } from './context-table.js';
import { IdSource } from './id-source.js';
import { IgnoredPaths } from './ignored-paths.js';
import { Propagation } from './propagation.js';
import { RemoteSampler } from './remote/remote-sampler.js';
import { makeSampler, type Sampler } from './samplers.js';
import type { IncomingContext, SpanContext } from './span-context.js';
import type { SpanExporterFactory } from './span-exporter.js';
import { SpanNames, namedHostOf } from './span-names.js';
import { SpanSender } from './span-sender.js';
import { attemptEvents, finishTags, tagsOfRequest, type TagMaps } from './span-tags.js';

export interface TracingParts {
  readonly ports: Ports;
  readonly logger: Logger;
  readonly configuration: LiveConfiguration;
  readonly plugins: InstalledPlugins;
  readonly metrics: PolicyMetrics;
  readonly ids?: IdSource;
}

/** Share of traces until a sampling server has answered, as Jaeger's clients have it. */
const INITIAL_SHARE = 0.001;

/** What is compiled from the configuration, again after each change. */
interface Rules {
  readonly isOn: boolean;
  readonly traces: TracingOptions;
  readonly propagation: Propagation;
  readonly sampler: Sampler;
  readonly ignored: IgnoredPaths;
  readonly tagMaps: TagMaps;
}

/** The tracing of one chassis: both directions share ids, remembered contexts, names and the way out. */
export class Tracing {
  readonly #ids: IdSource;
  readonly #table: ContextTable<SpanContext>;
  readonly #factory: SpanExporterFactory | undefined;
  readonly #names: SpanNames;
  #rules: Rules;
  #sender: SpanSender | undefined;
  #cleaning: TimerHandle | undefined;
  #offset = 0;

  /** @throws MeshError MESH_ERR_UNKNOWN_PLUGIN when there is no exporter of the configured name, MESH_ERR_PLUGIN_LOAD when it refuses its settings */
  constructor(private readonly parts: TracingParts) {
    const { configuration, metrics } = parts;
    const { document } = configuration;
    this.#ids = parts.ids ?? new IdSource();
    this.#rules = this.#compile(document);
    this.#table = new ContextTable(tableLimits(document.tracing));
    this.#names = new SpanNames(document.tracing.maxSpanNames);
    this.#factory = exporterOf(document.tracing, parts.plugins);
    metrics.gauge('spansQueued', (report) => {
      if (this.#sender !== undefined) report([], this.#sender.queued);
    });
    metrics.gauge('traceContexts', (report) => {
      if (this.#rules.isOn) report([], this.#table.size);
    });
    configuration.onChange((next) => {
      this.#rules = this.#compile(next, this.#rules);
      if (this.#cleaning !== undefined) this.#askWhatIsSampled();
      this.#table.configure(tableLimits(next.tracing));
      if (!this.#rules.isOn || !this.#rules.traces.correlation.enabled) this.#table.clear();
    });
  }

  /** False while the configuration asks for no spans. */
  get isOn(): boolean {
    return this.#rules.isOn;
  }

  /**
   * Loads the exporter, which may take a tenth of a second in which nothing else happens and had better not do so when calls are under way;
   * and begins to forget what is over.
   */
  async start(): Promise<void> {
    if (this.#factory === undefined || this.#cleaning !== undefined) return;
    this.#synchronise();
    const { cleanupInterval } = this.#rules.traces.correlation;
    this.#cleaning = this.parts.ports.timers.every(cleanupInterval, () => {
      this.#table.clean(this.parts.ports.clock.now());
      this.#synchronise();
    });
    this.#askWhatIsSampled();
    if (!this.isOn) return;
    this.#sender ??= this.#makeSender();
    await this.#sender?.prepare();
  }

  /** Sends what waits to be sent, for a second at most. Idempotent. */
  async close(): Promise<void> {
    this.#cleaning?.cancel();
    stopAsking(this.#rules.sampler);
    this.#table.clear();
    await this.#sender?.close();
  }

  /** A call begins: finds or makes its context, and writes it into the request. */
  begin(call: Invocation): void {
    const { ignored, traces } = this.#rules;
    const isTcp = call.protocol === 'tcp';
    if (isTcp ? !traces.tcp : ignored.has(call.path)) return;
    const isInbound = call.direction === 'inbound';
    const correlates = !isTcp && traces.correlation.enabled;
    const requestId = correlates ? (call.requestId ?? call.header(call.requestIdField)) : undefined;
    const trace = isTcp ? this.#enter(call, undefined, undefined) : this.#arrive(call, requestId);
    call.trace = trace;
    if (!isInbound || requestId === undefined) return;
    const { maxBaggage } = traces.correlation;
    if (maxBaggage > 0) trace.context.baggage = readBaggage(call, maxBaggage);
    this.#table.open(requestId, trace.context);
  }

  /** The call has ended: its span goes to the exporter. */
  end(call: Invocation, outcome: Outcome): void {
    const { trace } = call;
    if (trace === undefined) return;
    const { context, requestId, span } = trace;
    if (requestId !== undefined && call.direction === 'inbound') {
      this.#table.close(requestId, context, call.startedAt + outcome.durationMs);
    }
    // The requests on a connection have spans of their own.
    if (span !== undefined && outcome.superseded !== true) this.#record(call, context, span, outcome);
  }

  /** The context that the request came with, or that its request id leads to, is continued; without one, a trace begins. */
  #arrive(call: Invocation, requestId: string | undefined): CallTrace {
    const { propagation } = this.#rules;
    const incoming = propagation.extract(call);
    let parent = incoming?.traceId === undefined ? undefined : incoming;
    // An id that was given just now is nobody's yet.
    if (parent === undefined && call.direction === 'outbound' && requestId !== undefined) {
      const found = call.requestId === undefined ? this.#table.find(requestId, call.startedAt) : undefined;
      if (found?.baggage !== undefined) addBaggage(call, found.baggage);
      parent = found;
    }
    const trace = this.#enter(call, parent ?? incoming, requestId);
    if (trace.span === undefined && parent?.sampled === false) propagation.pass(call, trace.context);
    else propagation.inject(call, trace.context, trace.span?.parentSpanId ?? parent?.spanId);
    return trace;
  }

  #enter(call: Invocation, from: IncomingContext | undefined, requestId: string | undefined): CallTrace {
    const { sampler, traces } = this.#rules;
    const traceId = from?.traceId ?? this.#ids.traceId();
    const debug = from?.debug === true;
    const told = debug ? true : traces.sampler.parentBased ? from?.sampled : undefined;
    const operation = sampler.byOperation === true && told === undefined ? this.#nameOf(call) : '';
    const sampled = told ?? sampler.decide(traceId, call.startedAt, operation);
    const isPassedOn = !sampled && from?.sampled === false && from.spanId !== undefined;
    const spanId = isPassedOn ? from.spanId : this.#ids.spanId();
    const context = { traceId, spanId, sampled, debug, tracestate: from?.tracestate, baggage: undefined };
    return { context, requestId, span: sampled ? this.#open(call, from?.spanId) : undefined };
  }

  #open(call: Invocation, parentSpanId: string | undefined): OpenSpan {
    return {
      name: this.#nameOf(call),
      parentSpanId,
      tags: tagsOfRequest(call, this.#rules.tagMaps),
      attempts: [],
    };
  }

  #nameOf({ authority, destination, direction, protocol, method, path, startedAt }: Invocation): string {
    const service = destination?.service ?? namedHostOf(authority);
    return this.#names.of({ direction, protocol, method, path, service }, startedAt);
  }

  #record(call: Invocation, { traceId, spanId, tracestate }: SpanContext, span: OpenSpan, outcome: Outcome): void {
    const error = finishTags(call, span, outcome);
    this.#sender ??= this.#makeSender();
    this.#sender?.offer({
      traceId,
      spanId,
      parentSpanId: span.parentSpanId,
      tracestate,
      kind: call.direction === 'inbound' ? 'server' : 'client',
      name: span.name,
      startMs: call.startedAt + this.#offset,
      durationMs: outcome.durationMs,
      tags: span.tags,
      events: attemptEvents(call, span, outcome, this.#offset),
      error,
    });
  }

  /** @param previous its sampler stays when nothing about it changed: a limit per second would begin anew otherwise */
  #compile(document: MeshDocument, previous?: Rules): Rules {
    const { tracing: traces } = document;
    const { headerTags, cookieTags } = traces;
    const headers = new Map(Array.from(headerTags, ([name, tag]) => [name.toLowerCase(), tag]));
    const isSame = previous !== undefined && samplerKey(previous.traces) === samplerKey(traces);
    if (!isSame && previous !== undefined) stopAsking(previous.sampler);
    return {
      isOn: traces.enabled && traces.tracer !== undefined,
      traces,
      propagation: new Propagation(traces.formats.read, traces.formats.write),
      sampler: isSame ? previous.sampler : this.#samplerOf(document),
      ignored: new IgnoredPaths(traces.ignoredPaths),
      tagMaps: { headers, cookies: cookieTags },
    };
  }

  #samplerOf({ tracing, service }: MeshDocument): Sampler {
    const { type, param = INITIAL_SHARE, url, refreshInterval, maxOperations } = tracing.sampler;
    if (type !== 'remote') return localSampler(tracing);
    return new RemoteSampler(this.parts, {
      ...{ url: new URL(url), service: tracing.serviceName ?? service.name },
      ...{ initialShare: param, refreshMs: refreshInterval, maxOperations },
    });
  }

  /** A server is asked while spans are wanted. */
  #askWhatIsSampled(): void {
    const { isOn, sampler } = this.#rules;
    if (!(sampler instanceof RemoteSampler)) return;
    if (isOn) sampler.start();
    else sampler.stop();
  }

  #makeSender(): SpanSender | undefined {
    const factory = this.#factory;
    if (factory === undefined) return undefined;
    const { ports, logger, metrics, configuration } = this.parts;
    const { settings, serviceName, tags, maxQueuedSpans } = configuration.document.tracing;
    const service = serviceName ?? configuration.document.service.name;
    const { URI: uri, timeout: timeoutMs, more, batchSize, batchInterval: batchIntervalMs } = settings;
    const exporterSettings = { uri, timeoutMs, service, tags, more, logger, ports };
    const counter = metrics.counter('spans');
    return new SpanSender(
      { ports, factory, settings: exporterSettings, counter },
      { batchSize: Math.min(batchSize, maxQueuedSpans), batchIntervalMs, maxQueued: maxQueuedSpans },
    );
  }

  /** Spans are timed by the monotonic clock, which their calls have read anyway; what it differs from the time of day by may change. */
  #synchronise(): void {
    const { clock } = this.parts.ports;
    this.#offset = clock.wallTime() - clock.now();
  }
}

function tableLimits({ correlation }: TracingOptions): ContextTableLimits {
  return { expirationMs: correlation.expiration, maxContexts: correlation.maxContexts };
}

/** Everything is recorded unless something else is said: who names a collector wants to see traces, and one command later all of them. */
function localSampler({ sampler: { type, param = 1 }, samplingRate }: TracingOptions): Sampler {
  if (type !== undefined && type !== 'remote') return makeSampler(type, param);
  return samplingRate === undefined ? makeSampler('const', 1) : makeSampler('probabilistic', samplingRate);
}

function samplerKey({ sampler, samplingRate }: TracingOptions): string {
  return JSON.stringify([sampler, samplingRate]);
}

function stopAsking(sampler: Sampler): void {
  if (sampler instanceof RemoteSampler) sampler.stop();
}

function exporterOf({ tracer, settings }: TracingOptions, plugins: InstalledPlugins): SpanExporterFactory | undefined {
  if (tracer === undefined) return undefined;
  const factory = plugins.find('span-exporter', tracer);
  if (factory === undefined) {
    const known = plugins.names('span-exporter').join(', ');
    throw new MeshError(
      'MESH_ERR_UNKNOWN_PLUGIN',
      `tracing.tracer: there is no span-exporter '${tracer}'; ${known === '' ? 'none is known' : `known are ${known}`}`,
    );
  }
  const { URI: uri, more } = settings;
  const wrong = factory.check?.({ uri, more });
  if (wrong !== undefined) throw new MeshError('MESH_ERR_PLUGIN_LOAD', `tracing.settings: ${wrong}`);
  return factory;
}
