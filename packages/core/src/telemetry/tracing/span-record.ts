export type SpanKind = 'server' | 'client';

export type TagValue = string | number | boolean;

/** Something that happened while a span lasted. */
export interface SpanEvent {
  readonly name: string;
  /** Milliseconds since 1970, with a fraction. */
  readonly timeMs: number;
  readonly tags: Readonly<Record<string, TagValue>>;
}

/** A span that is over, as exporters get it. */
export interface SpanRecord {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Undefined for the first span of a trace. */
  readonly parentSpanId: string | undefined;
  readonly tracestate: string | undefined;
  readonly kind: SpanKind;
  readonly name: string;
  /** Milliseconds since 1970, with a fraction. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly tags: Readonly<Record<string, TagValue>>;
  readonly events: readonly SpanEvent[];
  /** Why the call counts as failed; undefined for one that does not. */
  readonly error: string | undefined;
}
