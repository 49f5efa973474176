/** Enough for most spans; larger ones make it grow. */
const FIRST_BYTES = 4_096;

/** Texts up to here, in characters, are written one by one: a call into the runtime takes as long as 100 of them. */
const SHORT = 64;

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  const { length } = text;
  if (length > SHORT) return Buffer.byteLength(text);
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text);
  return length;
}

/** Bytes that are written one after another into one buffer, which is used again. */
export class ByteSink {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  uint32(value: number): void {
    this.#room(4);
    this.#length = this.#bytes.writeUInt32BE(value >>> 0, this.#length);
  }

  doubleLittleEndian(value: number): void {
    this.#room(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  doubleBigEndian(value: number): void {
    this.#room(8);
    this.#length = this.#bytes.writeDoubleBE(value, this.#length);
  }

  /** @param bytes {@link utf8Length} of `value` */
  text(value: string, bytes: number): void {
    this.#room(bytes);
    if (bytes <= SHORT && bytes === value.length) {
      for (let i = 0; i < bytes; i++) this.#bytes[this.#length++] = value.charCodeAt(i);
      return;
    }
    this.#length += this.#bytes.write(value, this.#length, bytes, 'utf8');
  }

  /** A copy of all that was written, after which it begins anew. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
