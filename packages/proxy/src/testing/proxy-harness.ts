import {
  Endpoint,
  Rejection,
  type AttemptFailure,
  type CallHandler,
  type Destination,
  type Direction,
  type EndpointProtocol,
  type Invocation,
  type Logger,
  type Outcome,
  type Ports,
  type SourceResolver,
  type Verdict,
} from '@mesher/core';
import type { Listener } from '../listener.js';
import type { ForwardingOptions, ProxyOptions } from '../options.js';
import { ProxyServer } from '../proxy-server.js';
import type { TransparentSpec } from '../transparent/transparent-spec.js';

/** The whole harness in one import. */
export {
  RawClient,
  RawPeer,
  answerEach,
  answerOf,
  rawRequest,
  startRawUpstream,
  type Awaited,
  type RawUpstream,
} from './raw-peer.js';

/** How one call ended, with what was still known about it. */
export interface RecordedOutcome extends Outcome {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly attempts: number;
}

export interface ProxyHarnessOptions {
  /** Port on 127.0.0.1 to which the built-in handler sends everything; not needed with a handler of one's own. */
  readonly upstreamPort?: number;
  /** In which version of HTTP that upstream wants to be spoken to; `any` by default. */
  readonly speaks?: EndpointProtocol;
  readonly options?: Partial<ProxyOptions>;
  /** Overrides the methods of {@link ForwardToOne} that it names. */
  readonly handler?: Partial<CallHandler>;
  /** Gives the listener a fixed destination: it relays at once, and looks for HTTP/1 on the way. */
  readonly destination?: Destination;
  /** The listener is for gRPC. */
  readonly isForGrpc?: boolean;
  /** The listener is transparent; the handler that is given records what it decides about. */
  readonly transparent?: (recording: CallHandler) => TransparentSpec;
  readonly ports?: Ports;
  readonly logger?: Logger;
  readonly sources?: readonly SourceResolver[];
}

export interface ProxyHarness {
  /** Port of the listener on 127.0.0.1. */
  readonly port: number;
  readonly proxy: ProxyServer;
  readonly listener: Listener;
  /** Outcomes in the order in which calls ended. */
  readonly outcomes: RecordedOutcome[];
  /** How many times each call that was begun has ended: 1 for all of them once the proxy is closed. */
  readonly ends: ReadonlyMap<Invocation, number>;
  /** The endpoint of the built-in handler. */
  readonly endpoint: Endpoint;
  /** Waits until that many calls have begun. */
  awaitBegun(count: number): Promise<void>;
  /** Waits until that many calls have ended. */
  awaitOutcomes(count: number): Promise<RecordedOutcome[]>;
  close(): void;
}

/** The simplest handler there is: every call goes to one endpoint, and what is safe to send again is tried a second time. */
export class ForwardToOne implements CallHandler {
  readonly direction: Direction = 'outbound';

  constructor(readonly endpoint: Endpoint) {}

  begin(_call: Invocation): Verdict | Promise<Verdict> {
    return this.endpoint;
  }

  again(call: Invocation, failure: AttemptFailure): Verdict | Promise<Verdict> {
    const safe = !failure.sent || (failure.reusedConnection && call.idempotent);
    if (safe && call.bodyReplayable && call.attempts < 2 && failure.code !== 'MESH_ERR_CONNECT') return this.endpoint;
    return new Rejection(failure.code, failure.message);
  }

  connected(_endpoint: Endpoint): void {
    // one endpoint never rests
  }

  end(_call: Invocation, _outcome: Outcome): void {
    // recorded by the harness
  }
}

/** The optional methods that a test brings: a handler without them costs the wire less, so the others are left out. */
function optional(
  custom: Partial<CallHandler>,
): Pick<CallHandler, 'answered' | 'begun' | 'hedge' | 'isFailure' | 'lost' | 'instead'> {
  const { answered, begun, hedge, isFailure, lost, instead } = custom;
  return {
    ...(answered === undefined ? {} : { answered: answered.bind(custom) }),
    ...(begun === undefined ? {} : { begun: begun.bind(custom) }),
    ...(hedge === undefined ? {} : { hedge: hedge.bind(custom) }),
    ...(isFailure === undefined ? {} : { isFailure: isFailure.bind(custom) }),
    ...(lost === undefined ? {} : { lost: lost.bind(custom) }),
    ...(instead === undefined ? {} : { instead: instead.bind(custom) }),
  };
}

/** An address of TEST-NET-1 (RFC 5737): nobody answers, or there is no way to it. */
export const NOWHERE: Endpoint = new Endpoint('192.0.2.1', 9, undefined);

/** Heads pass as they came, so that a test can compare them byte for byte. */
const NO_FORWARDING: ForwardingOptions = { xForwardedFor: 'off', forwarded: false, via: false };

/** Starts a proxy core with one listener on a free port of 127.0.0.1. Forwarding fields are off unless `options` says otherwise. */
export async function startProxy(settings: ProxyHarnessOptions): Promise<ProxyHarness> {
  const endpoint = new Endpoint('127.0.0.1', settings.upstreamPort ?? 1, undefined, 1, undefined, settings.speaks);
  const fallback = new ForwardToOne(endpoint);
  const custom = settings.handler ?? {};
  const outcomes: RecordedOutcome[] = [];
  const ends = new Map<Invocation, number>();
  const waiting = new Set<() => void>();
  /** The next beginning or end of a call. */
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        waiting.delete(wake);
        resolve();
      };
      waiting.add(wake);
    });
  const handler: CallHandler = {
    direction: custom.direction ?? fallback.direction,
    begin: (call) => {
      ends.set(call, 0);
      for (const wake of [...waiting]) wake();
      return custom.begin === undefined ? fallback.begin(call) : custom.begin(call);
    },
    again: (call, failure) =>
      custom.again === undefined ? fallback.again(call, failure) : custom.again(call, failure),
    ...optional(custom),
    connected: (to) => (custom.connected === undefined ? fallback.connected(to) : custom.connected(to)),
    end: (call, outcome) => {
      ends.set(call, (ends.get(call) ?? 0) + 1);
      custom.end?.(call, outcome);
      const { method, path, authority, attempts } = call;
      outcomes.push({ ...outcome, method, path, authority, attempts });
      for (const wake of [...waiting]) wake();
    },
  };
  const proxy = new ProxyServer(
    {
      ...(settings.ports === undefined ? {} : { ports: settings.ports }),
      ...(settings.logger === undefined ? {} : { logger: settings.logger }),
    },
    { forwarding: NO_FORWARDING, ...settings.options },
  );
  const listener = await proxy.listen({
    host: '127.0.0.1',
    port: 0,
    handler,
    ...(settings.sources === undefined ? {} : { sources: settings.sources }),
    ...(settings.destination === undefined ? {} : { destination: settings.destination }),
    ...(settings.transparent === undefined ? {} : { transparent: settings.transparent(handler) }),
    ...(settings.isForGrpc === undefined ? {} : { isForGrpc: settings.isForGrpc }),
  });
  return {
    port: listener.port,
    proxy,
    listener,
    outcomes,
    ends,
    endpoint,
    async awaitBegun(count: number): Promise<void> {
      while (ends.size < count) await change();
    },
    async awaitOutcomes(count: number): Promise<RecordedOutcome[]> {
      while (outcomes.length < count) await change();
      return outcomes;
    },
    close: () => proxy.close(),
  };
}
