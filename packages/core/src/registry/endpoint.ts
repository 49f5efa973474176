import type { CallProtocol } from '../invocation.js';
import type { SessionMark } from '../loadbalance/session-cookie.js';
import { BARRED, type Availability, type BarReason } from './availability.js';
import type { Instance } from './instance.js';

/**
 * What is behind an address, as far as its name or its declaration tells: HTTP/1 alone, HTTP/2 alone (without TLS: from the first byte, RFC
 * 9113, 3.3), or nothing is known. With `any`, calls of gRPC, which exist over HTTP/2 only, go over HTTP/2, and all others over HTTP/1.
 */
export type EndpointProtocol = 'http1' | 'http2' | 'any';

/** The version of HTTP on a connection. */
export type HttpWire = 'HTTP/1' | 'HTTP/2';

/**
 * Over which version of HTTP a call goes to an endpoint; a caller that speaks the other one is translated for.
 * @returns undefined for connections that are not HTTP
 */
export function wireTo({ speaks }: Endpoint, protocol: CallProtocol): HttpWire | undefined {
  if (protocol === 'tcp') return undefined;
  return protocol === 'grpc' || speaks === 'http2' ? 'HTTP/2' : 'HTTP/1';
}

/** What {@link wireTo} says in words, for people; empty where it is what they expect. */
export function describeWire(wire: HttpWire | undefined, protocol: CallProtocol): string {
  if (wire !== 'HTTP/2') return '';
  return protocol === 'grpc' ? 'over HTTP/2' : 'over HTTP/2, translated for a caller of HTTP/1';
}

/**
 * One address that can be dialled. The directory keeps the object for as long as the address stays in a snapshot, so pools and
 * balancers may hang their state on its identity. State of balancing stands in plain fields: it is read on each pick.
 */
export class Endpoint {
  /** `host:port`, IPv6 in brackets. */
  readonly key: string;
  /** Length of the present rest in milliseconds. */
  restMs = 0;
  /** A call was let through after a rest, and what became of it is not known yet. */
  probing = false;
  /** Failed connects in a row; those that fell together count once. */
  connectFailures = 0;
  /** True once no snapshot holds this address any more: pools close its idle connections. */
  retired = false;
  /** Attempts of this process under way. */
  inFlight = 0;
  /** Average duration of attempts in milliseconds, as the strategy in use reckons it; 0 while nothing is known. */
  latencyMs = 0;
  /** Monotonic milliseconds of the last change of {@link latencyMs}. */
  latencyAt = 0;
  /** Failed attempts in a row, whatever failed: sessions move away after some. */
  failuresInARow = 0;
  /** Attempts in a row that were answered with a 5xx or not at all; the first counter of outlier ejection. */
  serverErrorsInARow = 0;
  /** Attempts in a row that ended with 502, 503, 504 or without an answer; the second counter of outlier ejection. */
  gatewayErrorsInARow = 0;
  /** Attempts in the present interval of outlier ejection, and how many of them succeeded. */
  intervalAttempts = 0;
  intervalSuccesses = 0;
  /** How long the next ejection lasts, in multiples of the shortest one. */
  ejections = 0;
  /** Monotonic milliseconds at which an ejection ends; 0 when it is not ejected. */
  ejectedUntil = 0;
  /** Monotonic milliseconds at which the last ejection ended. */
  returnedAt = 0;
  /** Monotonic milliseconds at which the endpoint began, or began again, to get its share little by little; 0 when it gets all of it. */
  warmingSince = 0;
  /** It was passed over since it last began to warm up. */
  wasOut = false;
  /** What a cookie says of the endpoint; undefined until one is wanted. */
  sessionMark: SessionMark | undefined = undefined;
  #restingUntil = 0;
  #barred = 0;

  constructor(
    readonly host: string,
    readonly port: number,
    /** The instance behind the address, as last seen; undefined for local targets. */
    public instance: Instance | undefined = undefined,
    /** Share of traffic relative to the other endpoints. */
    public weight: number = 1,
    /** Counts when the endpoint comes and goes; undefined for local targets. */
    readonly availability: Availability | undefined = undefined,
    /** In which version of HTTP it wants to be spoken to. */
    readonly speaks: EndpointProtocol = 'any',
  ) {
    this.key = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  /**
   * Monotonic milliseconds until which the endpoint is passed over after failed connects; 0 when it is fine. When the time is
   * over, one call is let through; the endpoint is fine again once a connection to it was made.
   */
  get restingUntil(): number {
    return this.#restingUntil;
  }

  set restingUntil(until: number) {
    const turned = (until === 0) !== (this.#restingUntil === 0);
    this.#restingUntil = until;
    if (turned) this.#turned();
  }

  /** Reasons for which calls pass it over although it can be reached; a mask of {@link BARRED}, 0 for none. */
  get barred(): number {
    return this.#barred;
  }

  /** True while calls pass it over, whatever for. */
  get isOut(): boolean {
    return this.#restingUntil !== 0 || this.#barred !== 0;
  }

  /** Calls pass the endpoint over from now on. Harmless when it is barred for that reason already. */
  bar(reason: BarReason): void {
    const before = this.#barred;
    this.#barred |= BARRED[reason];
    if (this.#barred !== before) this.#turned();
  }

  /** Takes back {@link bar}. Harmless when it is not barred for that reason. */
  lift(reason: BarReason): void {
    const before = this.#barred;
    this.#barred &= ~BARRED[reason];
    if (this.#barred !== before) this.#turned();
  }

  #turned(): void {
    if (this.isOut) this.wasOut = true;
    if (this.availability !== undefined) this.availability.version++;
  }
}
