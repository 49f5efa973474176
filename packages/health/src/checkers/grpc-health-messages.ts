/**
 * The two messages of the gRPC health checking protocol (grpc.health.v1,
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md), in the wire format of protocol buffers. They have one field each, so
 * that a code generator and its run-time library would be most of this package.
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Longest varint: 64 bits, seven in each byte. */
const MAX_VARINT_BYTES = 10;

export const SERVING_STATUS = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;

/** `HealthCheckRequest { string service = 1 }`. */
export function encodeHealthCheckRequest(service: string): Buffer {
  // proto3 leaves out what is empty.
  if (service === '') return Buffer.alloc(0);
  const name = Buffer.from(service, 'utf8');
  const length: number[] = [];
  let rest = name.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  length.push(rest);
  return Buffer.concat([Buffer.from([(1 << 3) | LENGTH_DELIMITED, ...length]), name]);
}

/**
 * `HealthCheckResponse { ServingStatus status = 1 }`; fields that are unknown are skipped.
 * @returns a number of {@link SERVING_STATUS}, or one of a later version
 * @throws RangeError when the bytes are no such message
 */
export function decodeHealthCheckResponse(message: Buffer): number {
  const reader = new Reader(message);
  let status: number = SERVING_STATUS.UNKNOWN;
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const type = tag & 7;
    // Of a field that comes twice the last one counts.
    if (tag === ((1 << 3) | VARINT)) status = reader.varint();
    else if (type === VARINT) reader.varint();
    else if (type === FIXED64) reader.skip(8);
    else if (type === FIXED32) reader.skip(4);
    else if (type === LENGTH_DELIMITED) reader.skip(reader.varint());
    else throw new RangeError(`a field of the wire type ${type}`);
  }
  return status;
}

class Reader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.#at >= this.bytes.length;
  }

  /** Exact up to 2^53, which is more than any field number, length or status here. */
  varint(): number {
    let value = 0;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = this.bytes[this.#at];
      if (byte === undefined) break;
      this.#at++;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number that does not end');
  }

  skip(count: number): void {
    this.#at += count;
    if (this.#at > this.bytes.length) throw new RangeError('a field that is longer than the message');
  }
}
