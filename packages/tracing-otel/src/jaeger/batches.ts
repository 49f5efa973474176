import type { ExporterSettings, SpanRecord } from '@mesher/core';
import { BinaryWriter } from '../thrift/binary-writer.js';
import { CompactWriter } from '../thrift/compact-writer.js';
import type { ThriftWriter } from '../thrift/thrift-writer.js';
import { writeProcess, writeSpan, type Detail } from './span-encoder.js';

/** Longest datagram that agents take (`--processor.jaeger-compact.server-max-packet-size`); IPv4 has room for 65507 bytes. */
export const MAX_DATAGRAM = 65_000;
/**
 * What a datagram is filled up to: one of 65000 bytes takes so much of the usual buffer of a socket that the second or third one is lost
 * when the agent is busy, and on Ethernet falls to 45 pieces, of which none may be lost.
 */
const USUAL_DATAGRAM = 16_384;
/** What is around the spans of a datagram: message, batch and the length of the list, none longer than some bytes each. */
const FRAME_BYTES = 64;
const DETAILS: readonly Detail[] = ['all', 'no-events', 'bare'];

type Identity = Pick<ExporterSettings, 'service' | 'tags'>;

/** The struct `Batch` in the binary protocol, as collectors take it over HTTP. */
export function httpBatch(identity: Identity, spans: readonly SpanRecord[]): Buffer {
  const out = new BinaryWriter();
  out.beginStruct();
  out.structField(1);
  writeProcess(out, identity);
  out.listField(2, spans.length);
  for (const span of spans) writeSpan(out, span);
  out.endStruct();
  return out.take();
}

/** Makes datagrams for agents: calls of `emitBatch` in the compact protocol, none of them larger than agents take. */
export class Datagrams {
  readonly #out: ThriftWriter = new CompactWriter();
  readonly #process: Buffer;
  readonly #room: number;
  readonly #usual: number;

  /** @throws Error when the tags of this process alone fill a datagram */
  constructor(identity: Identity, maxBytes = MAX_DATAGRAM) {
    writeProcess(this.#out, identity);
    this.#process = this.#out.take();
    this.#room = maxBytes - FRAME_BYTES - this.#process.length;
    this.#usual = Math.min(this.#room, USUAL_DATAGRAM);
    if (this.#room < maxBytes / 2) throw new Error('the tags of all spans (tracing.tags) fill a datagram');
  }

  /** A span too large for one datagram loses its events, or all its tags, and says so in a tag `mesher.truncated`. */
  of(spans: readonly SpanRecord[]): Buffer[] {
    const datagrams: Buffer[] = [];
    let batch: Buffer[] = [];
    let bytes = 0;
    for (const span of spans) {
      const encoded = this.#encode(span);
      if (batch.length > 0 && bytes + encoded.length > this.#usual) {
        datagrams.push(this.#datagram(batch));
        batch = [];
        bytes = 0;
      }
      batch.push(encoded);
      bytes += encoded.length;
    }
    if (batch.length > 0) datagrams.push(this.#datagram(batch));
    return datagrams;
  }

  #encode(span: SpanRecord): Buffer {
    let encoded: Buffer = Buffer.alloc(0);
    for (const detail of DETAILS) {
      writeSpan(this.#out, span, detail);
      encoded = this.#out.take();
      if (encoded.length <= this.#room) break;
    }
    return encoded;
  }

  /** Structs are the same bytes wherever they stand, so those of the process and the spans are put together as they are. */
  #datagram(spans: readonly Buffer[]): Buffer {
    const out = this.#out;
    out.oneway('emitBatch');
    out.beginStruct();
    out.structField(1);
    out.beginStruct();
    out.structField(1);
    const head = out.take();
    out.listField(2, spans.length);
    const list = out.take();
    out.endStruct();
    out.endStruct();
    return Buffer.concat([head, this.#process, list, ...spans, out.take()]);
  }
}
