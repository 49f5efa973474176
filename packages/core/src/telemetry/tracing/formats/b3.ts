import { readId } from '../hex.js';
import { shortestTraceId, type IncomingContext, type SpanContext } from '../span-context.js';
import { dropField, putField, type FieldReader, type FieldWriter, type TraceFormat } from './trace-format.js';

// https://github.com/openzipkin/b3-propagation
const SINGLE_FIELD = 'b3';
const TRACE_FIELD = 'x-b3-traceid';
const SPAN_FIELD = 'x-b3-spanid';
const PARENT_FIELD = 'x-b3-parentspanid';
const SAMPLED_FIELD = 'x-b3-sampled';
const FLAGS_FIELD = 'x-b3-flags';
const MULTI_FIELDS = [TRACE_FIELD, SPAN_FIELD, PARENT_FIELD, SAMPLED_FIELD, FLAGS_FIELD] as const;

const TRACE_DIGITS = 32;
const SHORT_TRACE_DIGITS = 16;
const SPAN_DIGITS = 16;

/** Older clients write words. */
const DECISIONS: ReadonlyMap<string, boolean> = new Map([
  ['1', true],
  ['0', false],
  ['true', true],
  ['false', false],
  ['d', true],
]);

/** B3 in one field: `{trace}-{span}-{decision}-{parent}`, of which the decision alone is enough. */
export const b3SingleFormat: TraceFormat = {
  isPresent: (call) => call.header(SINGLE_FIELD) !== undefined,

  read(call: FieldReader): IncomingContext | undefined {
    const text = call.header(SINGLE_FIELD);
    if (text === undefined) return undefined;
    const parts = text.split('-');
    const [first = '', span = '', decision] = parts;
    if (parts.length === 1) return decisionAlone(first, first === 'd');
    // A fourth part, the span above the caller's, says nothing that is needed here.
    if (parts.length > 4 || (decision !== undefined && !DECISIONS.has(decision))) return undefined;
    return withIds(first, span, decision === undefined ? undefined : DECISIONS.get(decision), decision === 'd');
  },

  write(call: FieldWriter, context: SpanContext, parentSpanId: string | undefined): void {
    const decision = context.debug ? 'd' : context.sampled ? '1' : '0';
    const parent = parentSpanId === undefined ? '' : `-${parentSpanId}`;
    putField(call, SINGLE_FIELD, `${shortestTraceId(context.traceId)}-${context.spanId}-${decision}${parent}`);
  },
};

/** B3 in several fields: `X-B3-TraceId`, `X-B3-SpanId`, `X-B3-ParentSpanId`, `X-B3-Sampled`, `X-B3-Flags`. */
export const b3MultiFormat: TraceFormat = {
  isPresent: (call) => MULTI_FIELDS.some((name) => call.header(name) !== undefined),

  read(call: FieldReader): IncomingContext | undefined {
    const trace = call.header(TRACE_FIELD);
    const span = call.header(SPAN_FIELD);
    const isDebug = call.header(FLAGS_FIELD) === '1';
    const decision = call.header(SAMPLED_FIELD);
    if (trace === undefined && span === undefined) return decisionAlone(decision ?? '', isDebug);
    if (trace === undefined || span === undefined) return undefined;
    return withIds(trace, span, isDebug ? true : DECISIONS.get(decision ?? ''), isDebug);
  },

  write(call: FieldWriter, context: SpanContext, parentSpanId: string | undefined): void {
    for (const name of MULTI_FIELDS) dropField(call, name);
    call.addHeader(TRACE_FIELD, shortestTraceId(context.traceId));
    call.addHeader(SPAN_FIELD, context.spanId);
    if (parentSpanId !== undefined) call.addHeader(PARENT_FIELD, parentSpanId);
    // Debug implies the decision, which is then not to be sent.
    if (context.debug) call.addHeader(FLAGS_FIELD, '1');
    else call.addHeader(SAMPLED_FIELD, context.sampled ? '1' : '0');
  },
};

function decisionAlone(text: string, isDebug: boolean): IncomingContext | undefined {
  const sampled = isDebug ? true : DECISIONS.get(text);
  if (sampled === undefined) return undefined;
  return { traceId: undefined, spanId: undefined, sampled, debug: isDebug, tracestate: undefined };
}

function withIds(
  trace: string,
  span: string,
  sampled: boolean | undefined,
  debug: boolean,
): IncomingContext | undefined {
  const isWidth = (trace.length === TRACE_DIGITS || trace.length === SHORT_TRACE_DIGITS) && span.length === SPAN_DIGITS;
  const traceId = isWidth ? readId(trace, TRACE_DIGITS) : undefined;
  const spanId = readId(span, SPAN_DIGITS);
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, sampled, debug, tracestate: undefined };
}
