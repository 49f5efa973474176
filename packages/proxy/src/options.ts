import { s, schemaDefaults, type Infer } from '@mesher/core';
import { http2LimitsSchema } from './http2/limits.js';

/** How the client's address is passed on. */
const forwardingSchema = s.object(
  {
    xForwardedFor: s.oneOf(['append', 'set', 'off'], {
      default: 'append',
      doc: 'X-Forwarded-For: append the address of the client, set it anew, or leave the field alone.',
      reason: 'applications look there for the client, and an appended address hides none of the former hops',
    }),
    forwarded: s.boolean({
      default: false,
      doc: 'Adds a Forwarded field (RFC 7239) with the address of the client.',
      reason: 'few applications read it, and X-Forwarded-For says the same',
    }),
    via: s.boolean({
      default: false,
      doc: 'Adds a Via field (RFC 9110, 7.6.3) to requests and answers.',
      reason: 'some servers stop compressing when they see one',
    }),
  },
  { doc: 'How the client is passed on to the upstream.' },
);

/** Copies of requests (route rules with `mirror`). */
const mirrorSchema = s.object(
  {
    maxConcurrent: s.integer({
      default: 100,
      min: 0,
      max: 100_000,
      doc: 'Most copies that are under way at once; further requests are not copied, and counted.',
      reason: 'a copy costs memory and a connection, and a slow target must not collect them without end',
    }),
    maxBodyBytes: s.bytes({
      default: '64KB',
      min: '0',
      max: '16MB',
      doc: 'Largest request body that is copied; the copy of a larger one is broken off, and counted.',
      reason: 'what the target has not read yet is held in memory; most bodies are smaller',
    }),
    timeout: s.duration({
      default: '15s',
      min: '10ms',
      max: '1h',
      doc: 'How long a copy may take from its start to the end of its answer.',
      reason: 'nobody waits for the answer; the bound only frees the place of a copy whose target is stuck',
    }),
  },
  { doc: 'Bounds of the copies of requests that route rules with mirror send.' },
);

/** Limits and timeouts of the data path, each with its reason. Times are read to milliseconds, sizes to bytes. */
export const proxyOptionsSchema = s.object(
  {
    maxHeadBytes: s.bytes({
      default: '64KB',
      min: '1KB',
      max: '1MB',
      doc: 'Largest head of a request or an answer; a larger request is answered 431, or 414 when its first line alone is too long.',
      reason: 'large enough for tokens and cookies of real clients; a head is held in memory until it is complete',
    }),
    maxHeaderFields: s.integer({
      default: 128,
      min: 16,
      max: 4096,
      doc: 'Most header fields of a request (431 beyond) or an answer (502 beyond).',
      reason: 'browsers send about 20; each field costs time in every look-up',
    }),
    maxTrailerBytes: s.bytes({
      default: '16KB',
      min: '256',
      max: '1MB',
      doc: 'Largest trailer section of a chunked body.',
      reason: 'trailers hold checksums and statuses; without a bound they are a body that nobody measures',
    }),
    maxReplayBytes: s.bytes({
      default: '64KB',
      min: '0',
      max: '16MB',
      doc: 'How much of a request body is kept for another attempt, counted as it is sent: sizes and ends of chunks included. A call with a larger one is not tried again once it was sent.',
      reason: 'most request bodies are smaller, and it is memory per call that is under way',
    }),
    maxDiscardBytes: s.bytes({
      default: '64KB',
      min: '0',
      max: '16MB',
      doc: 'How much of the rest of an answer that is not passed on, because the call is tried again, is read to keep its connection.',
      reason: 'reading one buffer costs less than a new connection; more would be work for nobody',
    }),
    maxPipelinedBytes: s.bytes({
      default: '64KB',
      min: '1KB',
      max: '1MB',
      doc: 'How much a client may send ahead before its connection is read no further until the present answer is complete.',
      reason: 'pipelining is rare; this holds hundreds of small requests',
    }),
    writeBufferBytes: s.bytes({
      default: '64KB',
      min: '4KB',
      max: '16MB',
      doc: 'How much of a request body may wait for a slow upstream before the client is read no further.',
      reason: 'one read of a fast client; more would only hide that the upstream is slow',
    }),
    maxDownstreamConnections: s.integer({
      default: 20_000,
      min: 1,
      max: 1_000_000,
      doc: 'Most connections of clients; further ones are closed at once.',
      reason: 'an idle one costs about 8 KB, and file descriptors are finite',
    }),
    maxConnectionsPerEndpoint: s.integer({
      default: 1024,
      min: 1,
      max: 65_535,
      doc: 'Most connections to one instance; further calls wait.',
      reason: 'an instance that is slow gets slower with more at once; many servers accept about a thousand',
    }),
    maxPendingPerEndpoint: s.integer({
      default: 1024,
      min: 0,
      max: 1_000_000,
      doc: 'Most calls that wait for a connection to one instance; further ones are answered 503.',
      reason: 'a longer line would only be answered after its callers have given up',
    }),
    maxIdlePerEndpoint: s.integer({
      default: 256,
      min: 0,
      max: 65_535,
      doc: 'Most idle connections kept to one instance; the oldest are closed.',
      reason: 'enough for the next burst without holding what the last one needed',
    }),
    connectTimeout: s.duration({
      default: '2s',
      min: '10ms',
      max: '5m',
      doc: 'How long connecting to an instance may take.',
      reason: 'within a network it takes milliseconds; two seconds survive one lost SYN (sent again after one)',
    }),
    pendingTimeout: s.duration({
      default: '5s',
      min: '10ms',
      max: '5m',
      doc: 'How long a call waits for a connection when all are busy (503).',
      reason: 'shorter than the patience of most callers, so that they learn the cause',
    }),
    detectTimeout: s.duration({
      default: '10s',
      min: '10ms',
      max: '5m',
      doc: 'How long a new connection may take to say enough to tell its protocol.',
      reason: 'clients speak at once; connections opened ahead of need wait a little',
    }),
    observeTimeout: s.duration({
      default: '100ms',
      min: '10ms',
      max: '5m',
      doc: 'How long the first bytes of a connection whose requests are only observed may leave open whether they are a request (a lone letter). Then they pass, and are not observed.',
      reason:
        'a request comes in one piece, and a program that sends single letters must not notice that somebody looks',
    }),
    refusalGrace: s.duration({
      default: '250ms',
      min: '0s',
      max: '10s',
      doc: 'Listeners with a fixed destination: how long a connection without an upstream is kept, in case its client speaks HTTP and can be told why.',
      reason: 'the first bytes of a client that speaks first are on their way already',
    }),
    headTimeout: s.duration({
      default: '10s',
      min: '100ms',
      max: '5m',
      doc: 'How long the head of a request may take from its first byte (408).',
      reason: 'a head is one packet or two; a slow one is an attack more often than a bad network',
    }),
    keepAliveTimeout: s.duration({
      default: '75s',
      min: '1s',
      max: '1h',
      doc: 'How long a connection of a client may be idle between two requests.',
      reason:
        'longer than the pools of usual clients (60s) keep theirs, so that they close first and no request races with our close',
    }),
    requestIdleTimeout: s.duration({
      default: '60s',
      min: '100ms',
      max: '1h',
      doc: 'How long a client may pause within a request body (408).',
      reason: 'a mobile client may lose its network for a while',
    }),
    responseTimeout: s.duration({
      default: '30s',
      min: '10ms',
      max: '1h',
      doc: 'How long an upstream may take to begin its answer to a complete request (504) when cse.isolation sets no time for the service, and a plugin to decide. A gRPC call without a deadline has none: see responseIdleTimeout.',
      reason: 'callers rarely wait longer; a route may set less',
    }),
    responseIdleTimeout: s.duration({
      default: '5m',
      min: '100ms',
      max: '24h',
      doc: 'How long an answer that has begun may pause before it is broken off, and how long both sides of a gRPC call may be silent, also before its answer begins.',
      reason: 'server-sent events and long polls send something every minute or so',
    }),
    upstreamIdleTimeout: s.duration({
      default: '4s',
      min: '0s',
      max: '1h',
      doc: 'How long an idle connection to an instance is kept, unless the instance announces a time (Keep-Alive: timeout=).',
      reason: 'Node servers close after 5s: we must be first, or a request races with their close',
    }),
    tunnelIdleTimeout: s.duration({
      default: '1h',
      min: '1s',
      max: '24h',
      doc: 'How long nothing may pass through a tunnel (CONNECT, WebSocket) or a TCP relay.',
      reason: 'database pools keep silent connections for long; without a bound dead ones would stay for ever',
    }),
    halfCloseGrace: s.duration({
      default: '750ms',
      min: '0s',
      max: '5m',
      doc: 'How long a client that has ended its side counts as there while nothing is written to it.',
      reason:
        'most such clients are gone, and their work should stop within a second; one that only ended its side shows itself with the first write',
    }),
    lingerTimeout: s.duration({
      default: '2s',
      min: '0s',
      max: '1m',
      doc: 'How long the rest of a request is read and thrown away after its final answer.',
      reason: 'closing with unread bytes resets the connection, and the reset may overtake the answer',
    }),
    drainGrace: s.duration({
      default: '1s',
      min: '0s',
      max: '1m',
      doc: 'How long a connection that is idle when a drain begins stays open for one more request, which is answered with Connection: close.',
      reason:
        'a request that is on its way when its connection closes is lost to a client that may not repeat it; callers learn of the drain within milliseconds',
    }),
    forwarding: forwardingSchema,
    mirror: mirrorSchema,
    http2: http2LimitsSchema,
  },
  { doc: 'Limits and timeouts of the data path.' },
);

export type ForwardingOptions = Infer<typeof forwardingSchema>;

/** Limits and timeouts of the proxy core. All times in milliseconds, all sizes in bytes. */
export interface ProxyOptions extends Infer<typeof proxyOptionsSchema> {
  /** Add a `Server-Timing` field to responses that says which sidecar and instance took part (`mesher.serverTiming`). */
  readonly serverTiming: boolean;
}

/** Used where nothing is configured: the defaults of {@link proxyOptionsSchema}. */
export const DEFAULT_PROXY_OPTIONS: ProxyOptions = { ...schemaDefaults(proxyOptionsSchema), serverTiming: false };
