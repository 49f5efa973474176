import {
  type AnswerView,
  type AttemptFailure,
  type CallHandler,
  type Destination,
  type Direction,
  type Endpoint,
  type Invocation,
  type Outcome,
  type Rejection,
  type Verdict,
} from '@mesher/core';
import type { Passage } from './passage.js';

/** The service that a call names, if it is a known one. */
export type FindNamed = (authority: string) => Destination | undefined;

/**
 * Decides about the requests of a connection of which one named a service: each that does goes through the mesh, and each that names
 * anything else to where the connection was going.
 */
export class NamedCalls implements CallHandler {
  readonly direction: Direction = 'outbound';
  readonly #passed = new WeakSet<Invocation>();

  constructor(
    private readonly mesh: CallHandler,
    private readonly passage: Passage,
    private readonly find: FindNamed,
  ) {}

  begin(call: Invocation): Verdict | Promise<Verdict> {
    const destination = call.destination ?? this.find(call.authority);
    if (destination === undefined) {
      this.#passed.add(call);
      return this.passage.begin(call);
    }
    call.destination = destination;
    return this.mesh.begin(call);
  }

  again(call: Invocation, failure: AttemptFailure): Verdict | Promise<Verdict> {
    return this.#of(call).again(call, failure);
  }

  answered(call: Invocation, answer: AnswerView): Endpoint | Promise<Verdict> | undefined {
    return this.#of(call).answered?.(call, answer);
  }

  hedge(call: Invocation): Endpoint | undefined {
    return this.#of(call).hedge?.(call);
  }

  isFailure(call: Invocation, answer: AnswerView): boolean {
    return this.#of(call).isFailure?.(call, answer) ?? false;
  }

  lost(call: Invocation, endpoint: Endpoint, failure: AttemptFailure | undefined): void {
    this.#of(call).lost?.(call, endpoint, failure);
  }

  begun(call: Invocation, status: number, grpcStatus?: number): void {
    this.#of(call).begun?.(call, status, grpcStatus);
  }

  instead(call: Invocation, rejection: Rejection): Rejection {
    return this.#of(call).instead?.(call, rejection) ?? rejection;
  }

  connected(endpoint: Endpoint): void {
    this.mesh.connected(endpoint);
  }

  end(call: Invocation, outcome: Outcome): void {
    this.#of(call).end(call, outcome);
  }

  #of(call: Invocation): CallHandler {
    return this.#passed.has(call) ? this.passage : this.mesh;
  }
}
