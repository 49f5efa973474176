import { ByteSink, utf8Length } from './byte-sink.js';
import type { FieldType, Int64, ThriftWriter } from './thrift-writer.js';

// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
const TYPES: Readonly<Record<Exclude<FieldType, 'bool'>, number>> = {
  ...{ i32: 5, i64: 6, double: 7, string: 8, list: 9, struct: 12 },
};
const TRUE = 1;
const FALSE = 2;
const PROTOCOL = 0x82;
/** Version 1 in the lower five bits, and the type of the message, 4 for one without an answer, above them. */
const ONEWAY_VERSION_1 = (4 << 5) | 1;
const STOP = 0;
/** Numbers of fields that differ by so much from the one before share a byte with the type. */
const MAX_DELTA = 15;
/** Lists that are shorter share a byte with the type of their elements. */
const LONG_LIST = 15;

/** Thrift's compact protocol, in which agents take spans at port 6831. */
export class CompactWriter implements ThriftWriter {
  readonly #out = new ByteSink();
  /** Number of the field written last, of the struct under way and of those around it. */
  readonly #lastIds: number[] = [];
  #lastId = 0;

  oneway(method: string): void {
    this.#out.byte(PROTOCOL);
    this.#out.byte(ONEWAY_VERSION_1);
    // The number of the message, which says nothing where there is no answer.
    this.#varint(0);
    this.#text(method);
  }

  beginStruct(): void {
    this.#lastIds.push(this.#lastId);
    this.#lastId = 0;
  }

  endStruct(): void {
    this.#out.byte(STOP);
    this.#lastId = this.#lastIds.pop() ?? 0;
  }

  structField(id: number): void {
    this.#field(id, TYPES.struct);
  }

  listField(id: number, count: number): void {
    this.#field(id, TYPES.list);
    if (count < LONG_LIST) {
      this.#out.byte((count << 4) | TYPES.struct);
      return;
    }
    this.#out.byte((LONG_LIST << 4) | TYPES.struct);
    this.#varint(count);
  }

  boolField(id: number, value: boolean): void {
    this.#field(id, value ? TRUE : FALSE);
  }

  i32Field(id: number, value: number): void {
    this.#field(id, TYPES.i32);
    this.#varint(zigzag(value));
  }

  i64Field(id: number, { high, low }: Int64): void {
    this.#field(id, TYPES.i64);
    // Zigzag of 64 bits: the sign goes to the lowest bit, so that small numbers of either sign are short.
    const sign = high >> 31;
    let lower = ((low << 1) ^ sign) >>> 0;
    let upper = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
    while (upper !== 0 || lower > 0x7f) {
      this.#out.byte((lower & 0x7f) | 0x80);
      lower = ((lower >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    this.#out.byte(lower);
  }

  doubleField(id: number, value: number): void {
    this.#field(id, TYPES.double);
    // Little-endian, as implementations have it, whatever early descriptions say.
    this.#out.doubleLittleEndian(value);
  }

  stringField(id: number, value: string): void {
    this.#field(id, TYPES.string);
    this.#text(value);
  }

  take(): Buffer {
    return this.#out.take();
  }

  #field(id: number, type: number): void {
    const delta = id - this.#lastId;
    if (delta > 0 && delta <= MAX_DELTA) {
      this.#out.byte((delta << 4) | type);
    } else {
      this.#out.byte(type);
      this.#varint(zigzag(id));
    }
    this.#lastId = id;
  }

  #text(value: string): void {
    const bytes = utf8Length(value);
    this.#varint(bytes);
    this.#out.text(value, bytes);
  }

  #varint(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#out.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.#out.byte(rest);
  }
}

function zigzag(value: number): number {
  return (value << 1) ^ (value >> 31);
}
