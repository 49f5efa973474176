import { CR, LF } from '../http1/characters.js';

const HOST_FIELD = 'host:';
const ABSOLUTE_TARGET = /^[^ ]+ https?:\/\/([^/?# ]+)/i;

/**
 * The host that the first request of a connection names, to choose who looks at it; whether the request is proper is for others to say.
 * @param maxBytes no more than so much of a head is awaited
 * @returns in lower case without a port, IPv6 in its brackets; '' when there is none; undefined when more bytes are needed
 */
export function readFirstHost(bytes: Buffer, maxBytes: number): string | undefined {
  return new FirstHost(maxBytes).read(bytes);
}

/** Reads the same from bytes that come little by little, and no line of them twice: a head in single bytes would cost minutes otherwise. */
export class FirstHost {
  /** Of the first line that has not been read. */
  #at = 0;
  #isFirst = true;

  /** @param maxBytes no more than so much of a head is awaited */
  constructor(private readonly maxBytes: number) {}

  /**
   * @param bytes all that has come so far
   * @returns as {@link readFirstHost}
   */
  read(bytes: Buffer): string | undefined {
    // Empty lines before a request are skipped (RFC 9112, 2.2).
    if (this.#isFirst) while (bytes[this.#at] === CR || bytes[this.#at] === LF) this.#at++;
    for (;;) {
      const end = bytes.indexOf(LF, this.#at);
      if (end < 0) return bytes.length < this.maxBytes ? undefined : '';
      const line = bytes.toString('latin1', this.#at, bytes[end - 1] === CR ? end - 1 : end);
      this.#at = end + 1;
      if (this.#isFirst) {
        this.#isFirst = false;
        const authority = ABSOLUTE_TARGET.exec(line)?.[1];
        if (authority !== undefined) return withoutPort(authority);
      } else if (line === '') return '';
      else if (line.length >= HOST_FIELD.length && line.slice(0, HOST_FIELD.length).toLowerCase() === HOST_FIELD) {
        return withoutPort(line.slice(HOST_FIELD.length).trim());
      }
    }
  }
}

function withoutPort(authority: string): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const colon = host.startsWith('[') ? host.indexOf(':', host.indexOf(']')) : host.indexOf(':');
  return (colon < 0 ? host : host.slice(0, colon)).toLowerCase();
}
