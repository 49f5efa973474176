import { FORMAT_NAMES } from '../../telemetry/tracing/propagation.js';
import { SAMPLER_TYPES } from '../../telemetry/tracing/samplers.js';
import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';

const settingsSchema = s.openObject(
  {
    URI: s.string({
      doc: 'Where spans go: http://collector:4318/v1/traces for otlp, http://zipkin:9411/api/v2/spans for zipkin, udp://agent:6831 or http://collector:14268/api/traces for jaeger. Each tracer has a place on this host as its default.',
    }),
    batchSize: s.integer({
      default: 256,
      min: 1,
      max: 10_000,
      doc: 'Spans that are sent together.',
      reason:
        'making a batch takes the time of one turn of the event loop, about 2 ms for as many; go-chassis has 10000',
    }),
    batchInterval: s.duration({
      default: '2s',
      min: '10ms',
      max: '10m',
      bareUnit: 's',
      doc: 'Longest time that a span waits for its batch to fill.',
      reason: 'who looks for the trace of a call has just made it',
    }),
    timeout: s.duration({
      default: '10s',
      min: '10ms',
      max: '5m',
      bareUnit: 's',
      doc: 'How long a collector may take for a batch. Calls never wait for it.',
    }),
    collector: s.string({ doc: 'Kind of collector.', obsolete: 'spans go over HTTP to the URI' }),
  },
  { as: 'more', keyName: 'setting', each: s.string({ doc: 'Setting of a tracer that is a plugin.' }) },
  { doc: 'Settings of the tracer.' },
);

/** `tracing`: which calls become spans, how they are linked, and where they go. */
export const tracingSchema = s.object(
  {
    enabled: s.boolean({ default: true, doc: 'false switches tracing off although a tracer is named.' }),
    tracer: s.string({
      doc: 'Where spans go: otlp, zipkin, jaeger, or the name of a plugin of the kind span-exporter (see plugins). Without it, there are none and tracing costs nothing.',
    }),
    settings: settingsSchema,
    serviceName: s.string({ doc: 'Name of this service in traces, where it is not servicecomb.service.name.' }),
    tags: s.map(s.string({ doc: 'Value of the tag.' }), { keyName: 'tag', doc: 'Tags that every span has.' }),
    samplingRate: s.number({
      min: 0,
      max: 1,
      doc: 'Share of traces that are recorded: short for a probabilistic sampler with this parameter.',
    }),
    sampler: s.object(
      {
        type: s.oneOf([...SAMPLER_TYPES, 'remote'], {
          doc: 'const (param 1: all, 0: none), probabilistic (param: share), ratelimiting (param: traces per second), or remote: a server of Jaeger says what is sampled (param: share until it has answered). const when neither this nor samplingRate is set.',
        }),
        param: s.number({ min: 0, doc: 'Parameter of the sampler: 1 when it is not set, 0.001 for remote.' }),
        url: s.string({
          default: 'http://127.0.0.1:5778/sampling',
          doc: 'For remote: what is asked, an agent of Jaeger at its port 5778, or a collector (http://collector:14268/api/sampling).',
        }),
        refreshInterval: s.duration({
          default: '1m',
          min: '100ms',
          max: '1h',
          bareUnit: 's',
          doc: 'For remote: time between two questions.',
          reason: "as Jaeger's clients have it",
        }),
        maxOperations: s.integer({
          default: 2_000,
          min: 1,
          max: 100_000,
          doc: 'For remote: names of spans that are told apart; others get the default share.',
          reason: "as Jaeger's clients have it; each has a sampler of its own",
        }),
        parentBased: s.boolean({
          default: true,
          doc: 'What the caller decided counts, and the sampler decides about traces that begin here; false: it decides about all.',
          reason: 'otherwise parts of a trace are missing',
        }),
      },
      {
        doc: 'Which traces are recorded.',
        check: ({ type, param = 0, url }) => {
          if ((type === 'probabilistic' || type === 'remote') && param > 1) {
            return `the share of a ${type} sampler is at most 1`;
          }
          return /^https?:\/\/[^/]/.test(url) && URL.canParse(url)
            ? undefined
            : `url '${url}' is none of http or https`;
        },
      },
    ),
    formats: s.object({
      read: s.list(s.oneOf(FORMAT_NAMES), {
        commaSeparated: true,
        default: FORMAT_NAMES,
        doc: 'Formats of the trace context that are understood, in this order: w3c (traceparent), b3, b3multi (X-B3-*), jaeger (uber-trace-id).',
      }),
      write: s.list(s.oneOf(FORMAT_NAMES), {
        commaSeparated: true,
        default: ['w3c'],
        doc: 'Formats that are written. One that came with a request is brought up to date as well.',
      }),
    }),
    correlation: s.object(
      {
        enabled: s.boolean({
          default: true,
          doc: 'Finds the parent of an outbound call without a trace context by its X-Request-Id.',
        }),
        expiration: s.duration({
          default: '5s',
          min: '1ms',
          max: '1h',
          bareUnit: 'ms',
          doc: 'How long a request id is remembered after its inbound call has ended.',
        }),
        cleanupInterval: s.duration({
          default: '1s',
          min: '10ms',
          max: '1h',
          bareUnit: 'ms',
          doc: 'Time between two rounds in which expired ones are forgotten.',
        }),
        maxContexts: s.integer({
          default: 10_000,
          min: 1,
          max: 1_000_000,
          doc: 'Most request ids that are remembered; when there are so many, a thirty-second of them goes, the oldest ones.',
          reason: 'about 300 bytes each',
        }),
        maxBaggage: s.bytes({
          default: '2KB',
          min: '0B',
          max: '64KB',
          doc: 'Baggage (the fields baggage and uberctx-*) of an inbound call that its outbound calls get as well; 0B: none.',
          reason: 'it is kept for each request id that is remembered',
        }),
      },
      { doc: 'Outbound calls of applications that pass on nothing but X-Request-Id.' },
    ),
    headerTags: s.map(s.string({ doc: 'Name of the tag.' }), {
      keyName: 'header',
      doc: 'Header fields of requests that become tags.',
    }),
    cookieTags: s.map(s.string({ doc: 'Name of the tag.' }), {
      keyName: 'cookie',
      doc: 'Cookies of requests that become tags.',
    }),
    ignoredPaths: s.list(s.string(), {
      commaSeparated: true,
      default: [],
      doc: 'Paths of calls without spans: as they are sent, or templates (/health/*, /static/**).',
    }),
    tcp: s.boolean({ default: false, doc: 'Makes a span of each relayed connection, which ends with it.' }),
    maxQueuedSpans: s.integer({
      default: 4096,
      min: 16,
      max: 1_000_000,
      doc: 'Spans that wait for the collector; further ones are dropped and counted.',
      reason: 'about 2 KB each',
    }),
    maxSpanNames: s.integer({
      default: 500,
      min: 1,
      max: 100_000,
      doc: 'Different names of spans at a time; calls beyond are named (other). A name that was not used for an hour makes room for another one.',
      reason: 'stores of traces keep an index of names',
    }),
    collectorType: s.string({ doc: 'Kind of collector.', obsolete: 'choose the tracer by tracing.tracer' }),
  },
  { doc: 'Distributed tracing.' },
);

export type TracingOptions = Infer<typeof tracingSchema>;
