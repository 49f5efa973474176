import { ByteSink, utf8Length } from './byte-sink.js';
import type { FieldType, Int64, ThriftWriter } from './thrift-writer.js';

// https://github.com/apache/thrift/blob/master/doc/specs/thrift-binary-protocol.md
const TYPES: Readonly<Record<FieldType, number>> = {
  ...{ bool: 2, double: 4, i32: 8, i64: 10, string: 11, struct: 12, list: 15 },
};
/** The strict form, version 1, of a message without an answer. */
const ONEWAY_VERSION_1 = 0x8001_0004;
const STOP = 0;

/** Thrift's binary protocol, in which collectors take spans over HTTP, and agents at port 6832. */
export class BinaryWriter implements ThriftWriter {
  readonly #out = new ByteSink();

  oneway(method: string): void {
    this.#out.uint32(ONEWAY_VERSION_1);
    this.#text(method);
    this.#out.uint32(0);
  }

  beginStruct(): void {
    // A struct begins with its first field.
  }

  endStruct(): void {
    this.#out.byte(STOP);
  }

  structField(id: number): void {
    this.#field(id, 'struct');
  }

  listField(id: number, count: number): void {
    this.#field(id, 'list');
    this.#out.byte(TYPES.struct);
    this.#out.uint32(count);
  }

  boolField(id: number, value: boolean): void {
    this.#field(id, 'bool');
    this.#out.byte(value ? 1 : 0);
  }

  i32Field(id: number, value: number): void {
    this.#field(id, 'i32');
    this.#out.uint32(value);
  }

  i64Field(id: number, { high, low }: Int64): void {
    this.#field(id, 'i64');
    this.#out.uint32(high);
    this.#out.uint32(low);
  }

  doubleField(id: number, value: number): void {
    this.#field(id, 'double');
    this.#out.doubleBigEndian(value);
  }

  stringField(id: number, value: string): void {
    this.#field(id, 'string');
    this.#text(value);
  }

  take(): Buffer {
    return this.#out.take();
  }

  #field(id: number, type: FieldType): void {
    this.#out.byte(TYPES[type]);
    this.#out.byte(id >>> 8);
    this.#out.byte(id & 0xff);
  }

  #text(value: string): void {
    const bytes = utf8Length(value);
    this.#out.uint32(bytes);
    this.#out.text(value, bytes);
  }
}
