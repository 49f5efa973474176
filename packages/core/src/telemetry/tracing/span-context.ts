import type { Field } from '../../invocation.js';

/** The part of a span that goes over the wire: what the next hop continues. */
export interface SpanContext {
  /** 32 hexadecimal digits in lower case, not all zero. Ids of 64 bits, as old Jaeger and Zipkin clients make them, begin with 16 zeros. */
  readonly traceId: string;
  /** 16 hexadecimal digits in lower case, not all zero. */
  readonly spanId: string;
  /** True when the spans of the trace are to be recorded. */
  readonly sampled: boolean;
  /** Somebody wants to see this very trace, whatever samplers say (B3, Jaeger). */
  readonly debug: boolean;
  /** What other tracing systems say in `tracestate`: passed on as it came. */
  readonly tracestate: string | undefined;
  /** Fields with baggage that the inbound call brought, for outbound calls that find this context by its request id. */
  baggage?: readonly Field[] | undefined;
}

/** What the headers of a request say about the trace that it belongs to. */
export interface IncomingContext {
  /** Undefined when the caller says no more than whether to record. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  /** Undefined when the caller leaves the decision to us. */
  readonly sampled: boolean | undefined;
  readonly debug: boolean;
  readonly tracestate: string | undefined;
}

/** Trace ids of 64 bits are written with so many zeros in front. */
export const SHORT_ID_PADDING = '0000000000000000';

/** Short ids stay short in those formats that had 64 bits first, for clients that know no others. */
export function shortestTraceId(traceId: string): string {
  return traceId.startsWith(SHORT_ID_PADDING) ? traceId.slice(SHORT_ID_PADDING.length) : traceId;
}
