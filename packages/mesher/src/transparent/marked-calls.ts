import type { CallHandler, Direction, Endpoint, Invocation, Outcome, Verdict } from '@mesher/core';
import { DelegatingCalls } from './delegating-calls.js';

/** What is done to each request besides what is decided about it. */
export interface RequestMarks {
  before(call: Invocation): void;
  after(call: Invocation, outcome: Outcome): void;
}

/** Does something to each request, and leaves the decision to another handler. */
export class MarkedCalls extends DelegatingCalls {
  readonly direction: Direction;

  constructor(
    private readonly inner: CallHandler,
    private readonly marks: RequestMarks,
  ) {
    super();
    this.direction = inner.direction;
  }

  override begin(call: Invocation): Verdict | Promise<Verdict> {
    this.marks.before(call);
    return this.inner.begin(call);
  }

  connected(endpoint: Endpoint): void {
    this.inner.connected(endpoint);
  }

  override end(call: Invocation, outcome: Outcome): void {
    this.marks.after(call, outcome);
    this.inner.end(call, outcome);
  }

  protected of(): CallHandler {
    return this.inner;
  }
}
