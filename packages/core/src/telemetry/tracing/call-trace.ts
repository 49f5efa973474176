import type { Outcome } from '../../invocation.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { SpanContext } from './span-context.js';
import type { TagValue } from './span-record.js';

/** One attempt of a call that is recorded. */
export interface AttemptNote {
  readonly endpoint: Endpoint;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** Undefined until it has ended; the one that the answer comes from ends with the call. */
  outcome: Outcome | undefined;
}

/** What a span gathers while its call lasts. */
export interface OpenSpan {
  readonly name: string;
  readonly parentSpanId: string | undefined;
  readonly tags: Record<string, TagValue>;
  readonly attempts: AttemptNote[];
}

/** The trace that a call belongs to. */
export interface CallTrace {
  /** What is sent on. */
  readonly context: SpanContext;
  /** Undefined when the call is not recorded. */
  readonly span: OpenSpan | undefined;
  /** Under which outbound calls find the context again; undefined when they do not. */
  readonly requestId: string | undefined;
}
