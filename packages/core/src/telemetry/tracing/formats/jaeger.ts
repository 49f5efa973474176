import { readId } from '../hex.js';
import { shortestTraceId, type IncomingContext, type SpanContext } from '../span-context.js';
import { putField, type FieldReader, type FieldWriter, type TraceFormat } from './trace-format.js';

// https://www.jaegertracing.io/docs/1.76/architecture/sdk/#propagation-format
const FIELD = 'uber-trace-id';
/** Asks for a trace under a name of the caller's choice; it counts where no trace is under way. */
export const JAEGER_DEBUG_FIELD = 'jaeger-debug-id';
const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
const SAMPLED = 1;
const DEBUG = 2;
const FLAGS = /^[0-9a-f]{1,2}$/i;
/** Clients may encode the colons as in a URL. */
const ENCODED_COLON = /%3A/gi;

/** Jaeger's `{trace}:{span}:{parent}:{flags}`, each without its leading zeros or with. Baggage (`uberctx-*`) is passed on as it came. */
export const jaegerFormat: TraceFormat = {
  isPresent: (call) => call.header(FIELD) !== undefined,

  read(call: FieldReader): IncomingContext | undefined {
    const text = call.header(FIELD);
    if (text === undefined) {
      if (call.header(JAEGER_DEBUG_FIELD) === undefined) return undefined;
      return { traceId: undefined, spanId: undefined, sampled: true, debug: true, tracestate: undefined };
    }
    const parts = (text.includes('%') ? text.replace(ENCODED_COLON, ':') : text).split(':');
    const [trace = '', span = '', , flagText = ''] = parts;
    const traceId = readId(trace, TRACE_DIGITS);
    const spanId = readId(span, SPAN_DIGITS);
    if (parts.length !== 4 || traceId === undefined || spanId === undefined || !FLAGS.test(flagText)) return undefined;
    const flags = Number.parseInt(flagText, 16);
    const debug = (flags & DEBUG) !== 0;
    return { traceId, spanId, sampled: debug || (flags & SAMPLED) !== 0, debug, tracestate: undefined };
  },

  write(call: FieldWriter, context: SpanContext, parentSpanId: string | undefined): void {
    const flags = (context.sampled ? SAMPLED : 0) | (context.debug ? DEBUG : 0);
    putField(call, FIELD, `${shortestTraceId(context.traceId)}:${context.spanId}:${parentSpanId ?? '0'}:${flags}`);
  },
};
