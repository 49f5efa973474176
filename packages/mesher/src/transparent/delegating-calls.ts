import type {
  AnswerView,
  AttemptFailure,
  CallHandler,
  Direction,
  Endpoint,
  Invocation,
  Outcome,
  Rejection,
  Verdict,
} from '@mesher/core';

/** Lets another handler decide about each call, perhaps not the same one about all of them. */
export abstract class DelegatingCalls implements CallHandler {
  abstract readonly direction: Direction;

  /** Who decides about the call. */
  protected abstract of(call: Invocation): CallHandler;

  begin(call: Invocation): Verdict | Promise<Verdict> {
    return this.of(call).begin(call);
  }

  again(call: Invocation, failure: AttemptFailure): Verdict | Promise<Verdict> {
    return this.of(call).again(call, failure);
  }

  answered(call: Invocation, answer: AnswerView): Endpoint | Promise<Verdict> | undefined {
    return this.of(call).answered?.(call, answer);
  }

  hedge(call: Invocation): Endpoint | undefined {
    return this.of(call).hedge?.(call);
  }

  isFailure(call: Invocation, answer: AnswerView): boolean {
    return this.of(call).isFailure?.(call, answer) ?? false;
  }

  lost(call: Invocation, endpoint: Endpoint, failure: AttemptFailure | undefined): void {
    this.of(call).lost?.(call, endpoint, failure);
  }

  begun(call: Invocation, status: number, grpcStatus?: number): void {
    this.of(call).begun?.(call, status, grpcStatus);
  }

  instead(call: Invocation, rejection: Rejection): Rejection {
    return this.of(call).instead?.(call, rejection) ?? rejection;
  }

  abstract connected(endpoint: Endpoint): void;

  end(call: Invocation, outcome: Outcome): void {
    this.of(call).end(call, outcome);
  }
}
