import { isAllZero, isLowerHex } from '../hex.js';
import type { IncomingContext, SpanContext } from '../span-context.js';
import { dropField, putField, type FieldReader, type FieldWriter, type TraceFormat } from './trace-format.js';

const PARENT_FIELD = 'traceparent';
const STATE_FIELD = 'tracestate';

// 00-{32 digits}-{16 digits}-{2 digits}: https://www.w3.org/TR/trace-context/#traceparent-header
const TRACE_START = 3;
const TRACE_END = 35;
const SPAN_START = 36;
const SPAN_END = 52;
const FLAGS_START = 53;
const LENGTH = 55;
const DASH = 45;
const SAMPLED = 1;

/** W3C Trace Context: `traceparent`, and `tracestate`, which is passed on as it came as long as the first one is right. */
export const w3cFormat: TraceFormat = {
  isPresent: (call) => call.header(PARENT_FIELD) !== undefined,

  read(call: FieldReader): IncomingContext | undefined {
    const text = call.header(PARENT_FIELD);
    if (text === undefined || !isTraceParent(text)) return undefined;
    return {
      traceId: text.slice(TRACE_START, TRACE_END),
      spanId: text.slice(SPAN_START, SPAN_END),
      sampled: (Number.parseInt(text.slice(FLAGS_START, LENGTH), 16) & SAMPLED) !== 0,
      debug: false,
      tracestate: call.header(STATE_FIELD),
    };
  },

  write(call: FieldWriter, context: SpanContext): void {
    putField(call, PARENT_FIELD, `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`);
    // Without the trace that it belongs to, it means nothing (section 3.3 of the specification).
    if (context.tracestate === undefined) dropField(call, STATE_FIELD);
    else if (call.header(STATE_FIELD) !== context.tracestate) putField(call, STATE_FIELD, context.tracestate);
  },
};

function isTraceParent(text: string): boolean {
  const isShaped =
    text.length >= LENGTH &&
    text.charCodeAt(2) === DASH &&
    text.charCodeAt(TRACE_END) === DASH &&
    text.charCodeAt(SPAN_END) === DASH;
  if (!isShaped || !isLowerHex(text, 0, 2) || text.startsWith('ff')) return false;
  // Of a later version, what is known may be followed by more, after a dash.
  if (text.length > LENGTH && (text.startsWith('00') || text.charCodeAt(LENGTH) !== DASH)) return false;
  if (!isLowerHex(text, TRACE_START, TRACE_END) || !isLowerHex(text, SPAN_START, SPAN_END)) return false;
  if (!isLowerHex(text, FLAGS_START, LENGTH)) return false;
  return !isAllZero(text.slice(TRACE_START, TRACE_END)) && !isAllZero(text.slice(SPAN_START, SPAN_END));
}
