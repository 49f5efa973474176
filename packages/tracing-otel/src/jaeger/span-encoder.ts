import type { ExporterSettings, SpanEvent, SpanRecord, TagValue } from '@mesher/core';
import { int64Of, int64OfHex, type Int64, type ThriftWriter } from '../thrift/thrift-writer.js';

// https://github.com/jaegertracing/jaeger-idl/blob/main/thrift/jaeger.thrift
const STRING = 0;
const DOUBLE = 1;
const BOOL = 2;
const LONG = 3;
const SAMPLED = 1;
const NO_PARENT: Int64 = { high: 0, low: 0 };

/** Names that end up in an index; longer ones come of no template. */
const MAX_NAME = 1_024;

type Tag = readonly [key: string, value: TagValue];

/** What is left out of a span that would be too large. */
export type Detail = 'all' | 'no-events' | 'bare';

/** The struct `Process`: what all spans of a batch have in common. */
export function writeProcess(out: ThriftWriter, { service, tags }: Pick<ExporterSettings, 'service' | 'tags'>): void {
  out.beginStruct();
  out.stringField(1, service);
  writeTags(out, 2, [...tags]);
  out.endStruct();
}

/** The struct `Span`. */
export function writeSpan(out: ThriftWriter, span: SpanRecord, detail: Detail = 'all'): void {
  const { traceId, spanId, parentSpanId, name, startMs, durationMs, events } = span;
  out.beginStruct();
  out.i64Field(1, int64OfHex(traceId.slice(16)));
  out.i64Field(2, int64OfHex(traceId.slice(0, 16)));
  out.i64Field(3, int64OfHex(spanId));
  out.i64Field(4, parentSpanId === undefined ? NO_PARENT : int64OfHex(parentSpanId));
  out.stringField(5, name.length > MAX_NAME ? name.slice(0, MAX_NAME) : name);
  out.i32Field(7, SAMPLED);
  out.i64Field(8, microseconds(startMs));
  out.i64Field(9, microseconds(durationMs));
  writeTags(out, 10, tagsOf(span, detail));
  if (detail === 'all' && events.length > 0) {
    out.listField(11, events.length);
    for (const event of events) writeLog(out, event);
  }
  out.endStruct();
}

function tagsOf({ kind, tags, tracestate, error }: SpanRecord, detail: Detail): Tag[] {
  const kindTag: Tag = ['span.kind', kind];
  if (detail !== 'all') {
    const left: Tag = ['mesher.truncated', true];
    if (detail === 'bare') return error === undefined ? [kindTag, left] : [kindTag, left, ['error', true]];
    return [kindTag, left, ...Object.entries(tags)];
  }
  const all: Tag[] = [kindTag, ...Object.entries(tags)];
  if (tracestate !== undefined) all.push(['w3c.tracestate', tracestate]);
  return all;
}

function writeLog(out: ThriftWriter, { name, timeMs, tags }: SpanEvent): void {
  out.beginStruct();
  out.i64Field(1, microseconds(timeMs));
  writeTags(out, 2, [['event', name], ...Object.entries(tags)]);
  out.endStruct();
}

function writeTags(out: ThriftWriter, id: number, tags: readonly Tag[]): void {
  out.listField(id, tags.length);
  for (const [key, value] of tags) {
    out.beginStruct();
    out.stringField(1, key);
    writeValue(out, value);
    out.endStruct();
  }
}

function writeValue(out: ThriftWriter, value: TagValue): void {
  if (typeof value === 'boolean') {
    out.i32Field(2, BOOL);
    out.boolField(5, value);
  } else if (typeof value === 'string') {
    out.i32Field(2, STRING);
    out.stringField(3, value);
  } else if (Number.isSafeInteger(value)) {
    out.i32Field(2, LONG);
    out.i64Field(6, int64Of(value));
  } else {
    out.i32Field(2, DOUBLE);
    out.doubleField(4, value);
  }
}

function microseconds(ms: number): Int64 {
  return int64Of(Math.round(ms * 1_000));
}
