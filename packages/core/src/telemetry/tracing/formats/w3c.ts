import { isAllZero, isLowerHex } from '../hex.js';
import { keptText } from '../kept-text.js';
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

/** Characters of `tracestate` that everybody passes on; it is remembered with request ids and spans, so that it must not be as long as a head. */
const MAX_STATE = 512;
/** Members that go first when it is longer. */
const LONG_MEMBER = 128;

/** W3C Trace Context: `traceparent`, and `tracestate`, which is passed on as it came as long as the first one is right and itself not too long. */
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
      tracestate: boundedState(call.header(STATE_FIELD)),
    };
  },

  write(call: FieldWriter, context: SpanContext): void {
    putField(call, PARENT_FIELD, `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`);
    // Without the trace that it belongs to, it means nothing (section 3.3 of the specification).
    if (context.tracestate === undefined) dropField(call, STATE_FIELD);
    else if (call.header(STATE_FIELD) !== context.tracestate) putField(call, STATE_FIELD, context.tracestate);
  },
};

/** Without members of more than 128 characters, and then without the oldest ones, if it is too long (section 3.3.1.5 of the specification). */
function boundedState(text: string | undefined): string | undefined {
  if (text === undefined || text.length <= MAX_STATE) return text;
  let kept = '';
  for (const member of text.split(',')) {
    if (member.length > LONG_MEMBER) continue;
    const longer = kept === '' ? member.trim() : `${kept},${member.trim()}`;
    if (longer.length > MAX_STATE) break;
    kept = longer;
  }
  return kept === '' ? undefined : keptText(kept);
}

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
