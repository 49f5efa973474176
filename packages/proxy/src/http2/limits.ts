import { s, schemaDefaults, type Infer } from '@mesher/core';

/** Bounds of HTTP/2 connections, each with its reason. Times are read to milliseconds, sizes to bytes. */
export const http2LimitsSchema = s.object(
  {
    maxConcurrentStreams: s.integer({
      default: 256,
      min: 1,
      max: 65_535,
      doc: 'Most calls at once on one connection of a client; further ones are refused (REFUSED_STREAM), which clients may repeat.',
      reason: 'twice what usual clients ask for; with the window of a stream it bounds the memory of a connection',
    }),
    maxUpstreamStreams: s.integer({
      default: 256,
      min: 1,
      max: 65_535,
      doc: 'Most calls at once on one connection to an instance, if the instance allows as many; further calls use another one.',
      reason: 'one connection is one TCP stream: what is lost in it stops all calls on it',
    }),
    maxUpstreamConnections: s.integer({
      default: 16,
      min: 1,
      max: 1024,
      doc: 'Most HTTP/2 connections to one instance; further calls wait for a free stream.',
      reason: '4096 calls at once are more than an instance serves; each connection costs both sides memory',
    }),
    maxHeaderListBytes: s.bytes({
      default: '64KB',
      min: '4KB',
      max: '1MB',
      doc: 'Largest header list, with 32 bytes for each field (RFC 9113, 10.5.1); a request beyond is answered 431. Sixteen times as much ends the connection.',
      reason: 'the same as the largest head of HTTP/1',
    }),
    maxHeaderFields: s.integer({
      default: 128,
      min: 16,
      max: 4096,
      doc: 'Most header fields of a request (431 beyond) or an answer (502 beyond).',
      reason: 'the same as for HTTP/1; each field costs time in every look-up',
    }),
    maxHeaderBlockBytes: s.bytes({
      default: '64KB',
      min: '16KB',
      max: '1MB',
      doc: 'Largest encoded header block that is spread over several frames; a larger one ends the connection.',
      reason:
        'it is collected before anything of it can be judged, and cannot be skipped without losing the header table',
    }),
    maxContinuations: s.integer({
      default: 16,
      min: 1,
      max: 1024,
      doc: 'Most CONTINUATION frames of one header block; more end the connection.',
      reason: 'five full frames hold the largest block; endless small ones are an attack (CVE-2024-27316)',
    }),
    headerTableBytes: s.bytes({
      default: '4KB',
      min: '0',
      max: '64KB',
      doc: 'Size of the header tables, one per direction and connection.',
      reason: 'the default of RFC 9113; a larger one saves bytes on the wire but costs memory for each connection',
    }),
    maxFrameBytes: s.bytes({
      default: '16KB',
      min: '16KB',
      max: '1MB',
      doc: 'Largest frame that peers may send.',
      reason: 'the default of RFC 9113; larger frames keep other calls of the connection waiting',
    }),
    streamWindow: s.bytes({
      default: '256KB',
      min: '64KB',
      max: '16MB',
      doc: 'How much of one call may wait here for a receiver that is slow.',
      reason: '100 Mbit/s at 20 ms of distance; every call may hold as much',
    }),
    connectionWindow: s.bytes({
      default: '16MB',
      min: '64KB',
      max: '1GB',
      doc: 'How much a peer may send on one connection before it hears from us.',
      reason:
        'it is given back at once, so that one slow call does not hold up the others; it has to outlast one turn of the loop',
    }),
    maxConnectionBufferedBytes: s.bytes({
      default: '16MB',
      min: '256KB',
      max: '1GB',
      doc: 'How much may wait for all calls of one connection of a client; beyond it further calls are refused (REFUSED_STREAM), and only the windows of those that keep up are opened.',
      reason: '64 calls with a full window: enough for stalled calls beside live ones',
    }),
    maxBufferedBytes: s.bytes({
      default: '256MB',
      min: '1MB',
      max: '16GB',
      doc: 'How much may wait for all HTTP/2 calls of the process; beyond it new calls are refused, and those for which most waits are reset (ENHANCE_YOUR_CALM) until three quarters are left. Beyond half of it bodies that were sent are not kept for further attempts.',
      reason:
        'connections times their bound is more than any machine has, and a few clients that read nothing must not stop all others',
    }),
    maxUnsentBytes: s.bytes({
      default: '4MB',
      min: '128KB',
      max: '256MB',
      doc: 'How much may wait for the socket of a peer that reads nothing; beyond it the connection is closed.',
      reason: 'DATA stops at once, so what still grows are answers to control frames, and nobody needs so many',
    }),
    resetWindow: s.duration({
      default: '10s',
      min: '1s',
      max: '5m',
      doc: 'Over how long resets and control frames are counted.',
      reason: 'long enough for an honest burst, short enough to forget it',
    }),
    maxResets: s.integer({
      default: 500,
      min: 10,
      max: 1_000_000,
      doc: 'Most calls that a client may reset, or make us reset, before their answer begins, within resetWindow, when they are also more than half of its calls; more end the connection.',
      reason: 'rapid reset (CVE-2023-44487) starts work and abandons it; clients that cancel a lot also complete a lot',
    }),
    maxControlFrames: s.integer({
      default: 10_000,
      min: 100,
      max: 10_000_000,
      doc: 'Most PING, SETTINGS, PRIORITY and unknown frames of a peer within resetWindow beyond one for each DATA frame that we sent; more end the connection.',
      reason:
        'gRPC asks with one PING per round trip in which data came; without data nobody needs a thousand per second',
    }),
    maxEmptyData: s.integer({
      default: 1000,
      min: 10,
      max: 10_000_000,
      doc: 'Most DATA frames without content that do not end a call, within resetWindow; more end the connection.',
      reason: 'they cost no window, so flow control does not slow them; honest peers send hardly any',
    }),
    maxWindowUpdates: s.integer({
      default: 100_000,
      min: 1000,
      max: 100_000_000,
      doc: 'Most WINDOW_UPDATE frames of a peer within resetWindow beyond two for each DATA frame that we sent; more end the connection.',
      reason: 'updates of one byte each cost us more than the peer',
    }),
    maxInterimAnswers: s.integer({
      default: 16,
      min: 1,
      max: 1000,
      doc: 'Most interim answers (1xx) of an instance to one call; more break it off.',
      reason: 'one 100 and a few early hints are usual; without a bound they are an answer that never begins',
    }),
    prefaceTimeout: s.duration({
      default: '10s',
      min: '100ms',
      max: '5m',
      doc: 'How long a peer may take for its preface and first SETTINGS.',
      reason: 'they are sent at once; the same as for the head of an HTTP/1 request',
    }),
    headerTimeout: s.duration({
      default: '10s',
      min: '100ms',
      max: '5m',
      doc: 'How long a header block or another frame that has begun may take to be complete.',
      reason: 'nothing else can pass on its connection meanwhile',
    }),
    settingsTimeout: s.duration({
      default: '10s',
      min: '1s',
      max: '5m',
      doc: 'How long a peer may take to acknowledge our SETTINGS (SETTINGS_TIMEOUT).',
      reason: 'one round trip; until then our limits do not bind the peer',
    }),
    idleTimeout: s.duration({
      default: '5m',
      min: '1s',
      max: '24h',
      doc: 'How long a connection of a client may be without a call before it is told to go (GOAWAY).',
      reason: 'gRPC clients keep one connection and expect it to last; an idle one costs about 14 KB',
    }),
    upstreamIdleTimeout: s.duration({
      default: '1m',
      min: '1s',
      max: '24h',
      doc: 'How long a connection to an instance is kept without a call.',
      reason: 'shorter than the idle bounds of usual servers (nginx 75s), so that no call races with their close',
    }),
    maxConnectionAge: s.duration({
      default: '1h',
      min: '0s',
      max: '7d',
      doc: 'Age at which a connection to an instance is replaced, after its calls have ended; 0s never.',
      reason: 'long-lived connections would never see new instances behind one address',
    }),
    pingInterval: s.duration({
      default: '30s',
      min: '0s',
      max: '1h',
      doc: 'How long a connection with calls may be silent before it is asked whether it still lives (PING); 0s never. An instance that answers and sends nothing else is asked again after five and a half minutes, since servers of gRPC take more for an attack.',
      reason: 'a machine that vanished closes nothing, and calls without a deadline would wait for it for ever',
    }),
    pingTimeout: s.duration({
      default: '10s',
      min: '100ms',
      max: '5m',
      doc: 'How long the answer to our PING may take before the connection counts as dead.',
      reason: 'peers answer before anything else, so only a dead or stopped one takes so long',
    }),
  },
  { doc: 'Bounds of HTTP/2 connections.' },
);

/** Bounds of HTTP/2 connections. All times in milliseconds, all sizes in bytes. */
export type Http2Limits = Infer<typeof http2LimitsSchema>;

/** Used where nothing is configured. */
export const DEFAULT_HTTP2_LIMITS: Http2Limits = schemaDefaults(http2LimitsSchema);
