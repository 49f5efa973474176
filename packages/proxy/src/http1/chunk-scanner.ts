import { EXTENSION_BROKEN, EXTENSION_END, EXTENSION_START, SEMICOLON, followExtension } from './chunk-extension.js';
import { COLON, CR, FIELD_VALUE, HEX, LF, TOKEN, equalsIgnoreCase, nameBytes } from './characters.js';

/** More digits than any real chunk has; 13 hexadecimal digits stay exact in a double. */
const MAX_SIZE_DIGITS = 13;
/** Chunk extensions are hardly ever used; a bound stops a peer from hiding an endless stream in one (RFC 9112, 7.1.1). */
const MAX_EXTENSION_BYTES = 4096;

/**
 * Fields that say where a message ends, where it goes or who sends it. They must not come as trailers (RFC 9110, 6.5.1): a
 * receiver that merges trailers into the header section would see another message than we did.
 */
const NOT_IN_TRAILERS: readonly Uint8Array[] = [
  'content-length',
  'transfer-encoding',
  'host',
  'connection',
  'proxy-connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'authorization',
  'cookie',
  'set-cookie',
].map(nameBytes);
const LONGEST_FORBIDDEN = Math.max(...NOT_IN_TRAILERS.map((name) => name.length));

/** Result of {@link ChunkScanner.feed}: more bytes belong to this body. */
export const NEED_MORE = -1;
/** Result of {@link ChunkScanner.feed}: the framing is broken. */
export const BROKEN = -2;

const enum At {
  Size,
  SizeMore,
  Extension,
  SizeLf,
  Data,
  DataCr,
  DataLf,
  TrailerStart,
  TrailerName,
  TrailerValue,
  TrailerLf,
  FinalLf,
}

/** Called with each piece of chunk data: the bytes [start, end) of `buffer`. */
export type ChunkData = (buffer: Buffer, start: number, end: number) => void;

/**
 * Follows the framing of a chunked body (RFC 9112, 7.1) as it flows by, without copying. The bytes are forwarded as they are,
 * extensions and trailers included, so both sides of the proxy see the same framing.
 */
export class ChunkScanner {
  /** What was wrong. */
  problem = '';
  /** Set by those who want {@link trailers}. */
  keepsTrailers = false;
  /** The lines of the last trailer section, each with its CRLF, one char per byte; kept until the next one begins. */
  trailers = '';
  #at: At = At.Size;
  #left = 0;
  #digits = 0;
  #extra = 0;
  #extension = EXTENSION_START;
  /** Start of the name of the present trailer; made when the first one comes, since few bodies have any. */
  #name: Uint8Array | undefined;
  #nameLength = 0;

  /** @param maxTrailerBytes most bytes of the trailer section */
  constructor(private readonly maxTrailerBytes: number) {}

  reset(): void {
    this.#at = At.Size;
    this.#left = 0;
    this.#digits = 0;
    this.#extra = 0;
  }

  /**
   * Takes the bytes [i, end).
   * @param onData is called for the data inside, when the framing itself is not wanted
   * @returns the position after the body, {@link NEED_MORE} or {@link BROKEN}
   */
  feed(buffer: Buffer, i: number, end: number, onData?: ChunkData): number {
    while (i < end) {
      const byte = buffer[i];
      switch (this.#at) {
        case At.Size:
        case At.SizeMore: {
          const digit = HEX[byte];
          if (digit !== 255) {
            if (++this.#digits > MAX_SIZE_DIGITS) return this.broken('a chunk size with too many digits');
            this.#left = this.#left * 16 + digit;
            this.#at = At.SizeMore;
          } else if (this.#at === At.Size) return this.broken('a chunk without a size');
          else if (byte === CR) this.#at = At.SizeLf;
          else if (byte === SEMICOLON) {
            this.#at = At.Extension;
            this.#extension = EXTENSION_START;
          } else return this.broken('a character in a chunk size that is not a hexadecimal digit');
          i++;
          break;
        }
        case At.Extension:
          this.#extension = followExtension(this.#extension, byte);
          if (this.#extension === EXTENSION_END) this.#at = At.SizeLf;
          else if (this.#extension === EXTENSION_BROKEN) return this.broken('a malformed chunk extension');
          else if (++this.#extra > MAX_EXTENSION_BYTES) return this.broken('chunk extensions that are too long');
          i++;
          break;
        case At.SizeLf:
          if (byte !== LF) return this.broken('a CR without LF after a chunk size');
          this.#digits = 0;
          this.#extra = 0;
          if (this.#left === 0) {
            this.#at = At.TrailerStart;
            this.trailers = '';
          } else this.#at = At.Data;
          i++;
          break;
        case At.Data: {
          const take = Math.min(this.#left, end - i);
          if (onData !== undefined) onData(buffer, i, i + take);
          i += take;
          this.#left -= take;
          if (this.#left === 0) this.#at = At.DataCr;
          break;
        }
        case At.DataCr:
          if (byte !== CR) return this.broken('chunk data that is longer than its size');
          this.#at = At.DataLf;
          i++;
          break;
        case At.DataLf:
          if (byte !== LF) return this.broken('a CR without LF after chunk data');
          this.#at = At.Size;
          i++;
          break;
        case At.TrailerStart:
          if (byte === CR) this.#at = At.FinalLf;
          else if (TOKEN[byte] === 0) return this.broken('a trailer line that does not start with a field name');
          else {
            this.#nameLength = 0;
            this.noteName(byte);
            this.keep(byte);
            this.#at = At.TrailerName;
          }
          if (++this.#extra > this.maxTrailerBytes) return this.broken('trailers that are too long');
          i++;
          break;
        case At.TrailerName:
          if (byte === COLON) {
            if (this.isForbidden()) return this.broken('a trailer field that belongs into the header section');
            this.#at = At.TrailerValue;
          } else if (TOKEN[byte] === 0) return this.broken('a character in a trailer name that is not allowed there');
          else this.noteName(byte);
          this.keep(byte);
          if (++this.#extra > this.maxTrailerBytes) return this.broken('trailers that are too long');
          i++;
          break;
        case At.TrailerValue:
          if (byte === CR) this.#at = At.TrailerLf;
          else if (FIELD_VALUE[byte] === 0) return this.broken('a control character in a trailer');
          this.keep(byte);
          if (++this.#extra > this.maxTrailerBytes) return this.broken('trailers that are too long');
          i++;
          break;
        case At.TrailerLf:
          if (byte !== LF) return this.broken('a CR without LF in the trailers');
          this.keep(byte);
          this.#at = At.TrailerStart;
          i++;
          break;
        case At.FinalLf:
          if (byte !== LF) return this.broken('a CR without LF at the end of a chunked body');
          this.reset();
          return i + 1;
      }
    }
    return NEED_MORE;
  }

  private keep(byte: number): void {
    if (this.keepsTrailers) this.trailers += String.fromCharCode(byte);
  }

  private noteName(byte: number): void {
    const name = (this.#name ??= new Uint8Array(LONGEST_FORBIDDEN));
    if (this.#nameLength < LONGEST_FORBIDDEN) name[this.#nameLength] = byte;
    this.#nameLength++;
  }

  private isForbidden(): boolean {
    const name = this.#name as Uint8Array;
    return NOT_IN_TRAILERS.some((field) => field.length === this.#nameLength && equalsIgnoreCase(name, 0, field));
  }

  private broken(problem: string): number {
    this.problem = problem;
    return BROKEN;
  }
}
