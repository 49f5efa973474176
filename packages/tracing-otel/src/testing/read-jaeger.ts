import type { CollectedSpan } from './collector-double.js';
import { readBinaryStruct, readCompactCall, type ThriftStruct } from './read-thrift.js';

// https://github.com/jaegertracing/jaeger-idl/blob/main/thrift/jaeger.thrift

/** The spans of a batch that came over HTTP. */
export function readJaegerBatch(body: Buffer): CollectedSpan[] {
  return spansOf(readBinaryStruct(body));
}

/** The spans of a datagram. */
export function readJaegerDatagram(datagram: Buffer): CollectedSpan[] {
  const { method, args } = readCompactCall(datagram);
  if (method !== 'emitBatch') throw new Error(`agents know no method ${method}`);
  return spansOf(args.get(1) as ThriftStruct);
}

function spansOf(batch: ThriftStruct): CollectedSpan[] {
  const process = batch.get(1) as ThriftStruct;
  const shared = tagsOf(process.get(2));
  return (batch.get(2) as ThriftStruct[]).map((span) => {
    const tags = { ...shared, ...tagsOf(span.get(10)) };
    return {
      traceId: hex(span.get(2)) + hex(span.get(1)),
      spanId: hex(span.get(3)),
      parentSpanId: span.get(4) === 0n ? '' : hex(span.get(4)),
      name: span.get(5) as string,
      kind: tags['span.kind'] ?? '',
      service: process.get(1) as string,
      tags,
      events: ((span.get(11) ?? []) as ThriftStruct[]).map((log) => tagsOf(log.get(2))['event'] ?? ''),
      isError: tags['error'] === 'true',
      startUs: Number(span.get(8)),
      durationUs: Number(span.get(9)),
    };
  });
}

function tagsOf(list: unknown): Record<string, string> {
  const tags = (list ?? []) as ThriftStruct[];
  // The value stands in the field of its type: text, double, bool, long.
  return Object.fromEntries(tags.map((tag) => [tag.get(1), String(tag.get([3, 4, 5, 6][tag.get(2) as number] ?? 0))]));
}

function hex(value: unknown): string {
  return BigInt.asUintN(64, value as bigint)
    .toString(16)
    .padStart(16, '0');
}
