/** A struct by numbers of fields. Whole numbers of 64 bits are bigint, lists arrays. */
export type ThriftStruct = ReadonlyMap<number, unknown>;

interface Reader {
  /** Undefined at the end of a struct. */
  field(lastId: number): { readonly id: number; readonly type: number } | undefined;
  value(type: number): unknown;
}

/** Reads one struct. */
function readStruct(reader: Reader): ThriftStruct {
  const fields = new Map<number, unknown>();
  for (let last = 0; ;) {
    const next = reader.field(last);
    if (next === undefined) return fields;
    fields.set(next.id, reader.value(next.type));
    last = next.id;
  }
}

class Bytes {
  at = 0;
  constructor(readonly buffer: Buffer) {}

  byte(): number {
    return this.buffer.readUInt8(this.at++);
  }

  uint32(): number {
    this.at += 4;
    return this.buffer.readUInt32BE(this.at - 4);
  }

  text(length: number): string {
    if (this.at + length > this.buffer.length) throw new Error('the text is longer than the message');
    this.at += length;
    return this.buffer.toString('utf8', this.at - length, this.at);
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  zigzag(): bigint {
    const value = this.varint();
    return (value >> 1n) ^ -(value & 1n);
  }
}

// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
function compactReader(bytes: Bytes): Reader {
  const reader: Reader = {
    field: (lastId) => {
      const head = bytes.byte();
      if (head === 0) return undefined;
      const delta = head >> 4;
      return { id: delta === 0 ? Number(bytes.zigzag()) : lastId + delta, type: head & 0x0f };
    },
    value: (type) => {
      switch (type) {
        case 1:
        case 2:
          return type === 1;
        case 5:
          return Number(bytes.zigzag());
        case 6:
          return bytes.zigzag();
        case 7:
          bytes.at += 8;
          return bytes.buffer.readDoubleLE(bytes.at - 8);
        case 8:
          return bytes.text(Number(bytes.varint()));
        case 9: {
          const head = bytes.byte();
          const count = head >> 4 === 15 ? Number(bytes.varint()) : head >> 4;
          return Array.from({ length: count }, () => reader.value(head & 0x0f));
        }
        case 12:
          return readStruct(reader);
        default:
          throw new Error(`unknown type ${type} at ${bytes.at}`);
      }
    },
  };
  return reader;
}

// https://github.com/apache/thrift/blob/master/doc/specs/thrift-binary-protocol.md
function binaryReader(bytes: Bytes): Reader {
  const reader: Reader = {
    field: () => {
      const type = bytes.byte();
      return type === 0 ? undefined : { type, id: (bytes.byte() << 8) | bytes.byte() };
    },
    value: (type) => {
      switch (type) {
        case 2:
          return bytes.byte() === 1;
        case 4:
          bytes.at += 8;
          return bytes.buffer.readDoubleBE(bytes.at - 8);
        case 8:
          return bytes.uint32() | 0;
        case 10:
          bytes.at += 8;
          return bytes.buffer.readBigInt64BE(bytes.at - 8);
        case 11:
          return bytes.text(bytes.uint32());
        case 12:
          return readStruct(reader);
        case 15: {
          const of = bytes.byte();
          return Array.from({ length: bytes.uint32() }, () => reader.value(of));
        }
        default:
          throw new Error(`unknown type ${type} at ${bytes.at}`);
      }
    },
  };
  return reader;
}

/** A struct in the binary protocol, and nothing after it. */
export function readBinaryStruct(buffer: Buffer): ThriftStruct {
  const bytes = new Bytes(buffer);
  return checkedEnd(bytes, readStruct(binaryReader(bytes)));
}

/** A call without an answer in the compact protocol: its method and its arguments. */
export function readCompactCall(buffer: Buffer): { readonly method: string; readonly args: ThriftStruct } {
  const bytes = new Bytes(buffer);
  const protocol = bytes.byte();
  const kind = bytes.byte();
  if (protocol !== 0x82 || kind !== 0x81)
    throw new Error(`no oneway call of the compact protocol: ${protocol} ${kind}`);
  bytes.varint();
  const method = bytes.text(Number(bytes.varint()));
  return { method, args: checkedEnd(bytes, readStruct(compactReader(bytes))) };
}

function checkedEnd(bytes: Bytes, struct: ThriftStruct): ThriftStruct {
  if (bytes.at !== bytes.buffer.length) throw new Error(`${bytes.buffer.length - bytes.at} bytes too many`);
  return struct;
}
