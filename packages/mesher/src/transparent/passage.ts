import {
  Endpoint,
  Rejection,
  UNKNOWN_SERVICE,
  type AttemptFailure,
  type CallHandler,
  type CallMetrics,
  type Destination,
  type Direction,
  type Invocation,
  type Observation,
  type Outcome,
} from '@mesher/core';

/** Sends everything to where it was going, and counts it. A dead pooled connection is the only cause for another attempt. */
export class Passage implements CallHandler {
  constructor(
    readonly direction: Direction,
    readonly endpoint: Endpoint,
    /** Under which calls without a known destination are counted; undefined: as those of no known service. */
    private readonly service: string | undefined,
    /** Undefined: nothing is counted. */
    private readonly metrics: CallMetrics | undefined,
    private readonly observation: Pick<Observation, 'begin' | 'end'>,
  ) {}

  #overHttp2: Passage | undefined;

  /** The same way for calls that came over HTTP/2: who is called so speaks it, and perhaps nothing else. */
  get overHttp2(): Passage {
    const { direction, metrics, observation, service } = this;
    const { host, port } = this.endpoint;
    const endpoint = (): Endpoint => new Endpoint(host, port, undefined, 1, undefined, 'http2');
    return (this.#overHttp2 ??= new Passage(direction, endpoint(), service, metrics, observation));
  }

  /** All endpoints that were made for it. */
  get endpoints(): readonly Endpoint[] {
    return this.#overHttp2 === undefined ? [this.endpoint] : [this.endpoint, this.#overHttp2.endpoint];
  }

  begin(call: Invocation): Endpoint {
    const { metrics } = this;
    const { service = this.service ?? UNKNOWN_SERVICE }: Partial<Destination> = call.destination ?? {};
    if (metrics !== undefined) {
      call.metricsSlot = metrics.slotFor(this.direction, service);
      metrics.started(call.metricsSlot);
      // Who began a connection is counted at its end: it may turn out to hold requests, which are counted themselves.
      if (this.direction === 'inbound' && call.protocol !== 'tcp') metrics.sources.count(call.source);
    }
    this.observation.begin(call);
    // How long an answer may take is between those who talk.
    call.deadlineIsOurs = true;
    return this.endpoint;
  }

  again(call: Invocation, failure: AttemptFailure): Endpoint | Rejection {
    const isHarmless = !failure.sent || call.idempotent;
    if (failure.reusedConnection && isHarmless && call.bodyReplayable) return this.endpoint;
    return new Rejection(failure.code, failure.message);
  }

  /** Whether anybody would see the difference that {@link recognised} makes. */
  get isCounted(): boolean {
    return this.metrics !== undefined;
  }

  /** The first bytes have shown which service a call is for, which has begun before: it is counted there. */
  recognised(call: Invocation, destination: Destination): void {
    const { metrics } = this;
    if (metrics === undefined || call.metricsSlot < 0 || call.ended) return;
    call.destination = destination;
    const slot = metrics.slotFor(this.direction, destination.service);
    metrics.moved(call.metricsSlot, slot);
    call.metricsSlot = slot;
  }

  connected(): void {
    // an original destination never rests: nobody would be asked in its place
  }

  end(call: Invocation, outcome: Outcome): void {
    call.ended = true;
    this.observation.end(call, outcome);
    const { code, status, durationMs, aborted, superseded } = outcome;
    const { metrics } = this;
    if (metrics === undefined || call.metricsSlot < 0) return;
    if (superseded === true) {
      metrics.withdrawn(call.metricsSlot);
      return;
    }
    if (this.direction === 'inbound' && call.protocol === 'tcp') metrics.sources.count(call.source);
    metrics.countBytes(call.metricsSlot, call.requestBytes, call.responseBytes);
    metrics.record(call.metricsSlot, status, durationMs, aborted);
    metrics.responses.count(status, call);
    if (code !== undefined) metrics.countRejection(call.metricsSlot, code);
  }
}
