import {
  Endpoint,
  Rejection,
  type AttemptFailure,
  type CallHandler,
  type Direction,
  type HostPort,
  type Invocation,
  type LocalGate,
} from '@mesher/core';

/** Sends everything of one inbound listener to one local address (`mesher.listeners` with `target`). */
export class LocalTarget implements CallHandler {
  readonly direction: Direction = 'inbound';
  readonly #endpoint: Endpoint;

  constructor(
    private readonly service: string,
    target: HostPort,
    private readonly gate: LocalGate,
  ) {
    this.#endpoint = new Endpoint(target.host, target.port);
  }

  begin(call: Invocation): Endpoint | Rejection {
    call.destination = { service: this.service };
    return this.gate.check() ?? this.#endpoint;
  }

  again(_call: Invocation, failure: AttemptFailure): Endpoint | Rejection {
    return failure.reusedConnection ? this.#endpoint : new Rejection(failure.code, failure.message);
  }

  connected(): void {
    // a local target never rests
  }

  end(): void {
    // counted by the connection metrics
  }
}
