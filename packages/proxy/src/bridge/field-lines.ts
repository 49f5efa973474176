import { latin1, LF, skipWhitespace, trimText, trimWhitespace } from '../http1/characters.js';
import type { ResponseScanner } from '../http1/response-scanner.js';
import { HeaderBlock } from '../http2/hpack/header-block.js';
import { HeaderField } from '../http2/hpack/header-field.js';

const COLON = 58;

/** Fields that say where a message ends or whom it is for; in a trailer section they would change the message (RFC 9110, 6.5.1). */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-length',
  'cookie',
  'host',
  'keep-alive',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The head of an HTTP/1 answer as a block: names in lower case, in their order, without what is for the connection (RFC 9113, 8.2.2).
 * @param scan has just scanned this very head
 * @param start of the status line
 * @param status what stands in `:status`
 * @param without a further field that is left out
 */
export function blockOfAnswer(
  scan: ResponseScanner,
  buffer: Buffer,
  status: number,
  without: string = '',
): HeaderBlock {
  const fields = [new HeaderField(':status', String(status))];
  const { cuts, cutCount } = scan;
  const end = scan.end - 2;
  let cut = 0;
  for (let line = scan.fieldsStart; line < end;) {
    let lineEnd = line + 1;
    while (buffer[lineEnd] !== LF) lineEnd++;
    const next = lineEnd + 1;
    if (cut < cutCount && cuts[cut] === line) cut += 2;
    else {
      let colon = line;
      while (buffer[colon] !== COLON) colon++;
      const name = latin1(buffer, line, colon).toLowerCase();
      if (name !== 'transfer-encoding' && name !== without) {
        const from = skipWhitespace(buffer, colon + 1, lineEnd - 1);
        const value = latin1(buffer, from, trimWhitespace(buffer, from, lineEnd - 1));
        fields.push(new HeaderField(name, value));
      }
    }
    line = next;
  }
  return HeaderBlock.of(fields);
}

/** Lines of a header or trailer section, each with its CRLF, as fields in lower case. The lines have been checked before. */
export function fieldsOfLines(lines: string): HeaderField[] {
  const fields: HeaderField[] = [];
  for (let line = 0; line < lines.length;) {
    const end = lines.indexOf('\r\n', line);
    const colon = lines.indexOf(':', line);
    fields.push(new HeaderField(lines.slice(line, colon).toLowerCase(), trimText(lines.slice(colon + 1, end))));
    line = end + 2;
  }
  return fields;
}

/** The trailer section of a body in chunks as a block; undefined when nothing of it may be passed on. */
export function trailerBlock(lines: string): HeaderBlock | undefined {
  const fields = fieldsOfLines(lines).filter(({ name }) => !NOT_IN_TRAILERS.has(name));
  return fields.length === 0 ? undefined : HeaderBlock.of(fields);
}

/** The last chunk of a body, with the trailers that may be passed on. */
export function lastChunk(trailers: HeaderBlock | undefined): string {
  let lines = '';
  for (const { name, value, isMalformed } of trailers?.fields ?? []) {
    if (!isMalformed && !NOT_IN_TRAILERS.has(name)) lines += `${name}: ${value}\r\n`;
  }
  return `0\r\n${lines}\r\n`;
}
