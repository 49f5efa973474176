/** One message as a parser saw it. Text has one char per byte. */
export interface FramedMessage {
  /** `METHOD target` of a request, the status of a response. */
  readonly start: string;
  readonly minorVersion: number;
  /** Names in lower case with their values, in order, repeated ones too. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The body without its chunks, as far as it came. */
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** False while the end of the message is still awaited. */
  readonly complete: boolean;
}

/** What a parser made of a sequence of bytes. */
export interface Reading {
  readonly messages: readonly FramedMessage[];
  /** Why no further message was read: the rule that was broken, or `close` after a message that ends the connection. */
  readonly stopped: string | undefined;
}

/** Name and value pairs of Node's raw lists, which alternate names and values. */
export function pairsOf(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) pairs.push([rawHeaders[i].toLowerCase(), rawHeaders[i + 1]]);
  return pairs;
}

/** Splits a section of field lines the plainest way there is. */
export function fieldsOf(section: string): [string, string][] {
  return section
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, '')];
    });
}

/** Takes the chunks of a body apart the plainest way there is; the body has been found valid, and may be incomplete. */
export function dechunk(raw: string): { body: string; trailers: [string, string][] } {
  let body = '';
  for (let i = 0; ;) {
    const lineEnd = raw.indexOf('\r\n', i);
    if (lineEnd < 0) return { body, trailers: [] };
    const size = parseInt(raw.slice(i, lineEnd), 16);
    const from = lineEnd + 2;
    if (size === 0) return { body, trailers: fieldsOf(raw.slice(from)) };
    body += raw.slice(from, from + size);
    i = from + size + 2;
  }
}
