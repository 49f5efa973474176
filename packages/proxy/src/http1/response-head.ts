import { latin1 } from './characters.js';
import { FieldName, findLines } from './field-lookup.js';
import type { ResponseScanner } from './response-scanner.js';

const TRANSFER_ENCODING = [new FieldName('transfer-encoding')] as const;
/** `HTTP/1.x` is replaced by the version that we speak ourselves (RFC 9110, 2.5). */
const VERSION_LENGTH = 8;

/**
 * The head of an answer as it goes to the client: byte for byte in its order, without the fields of the upstream hop.
 * @param scan has just scanned this very head
 * @param start of the status line
 * @param extra further field lines, each ended by CRLF
 * @param withoutChunks leave out Transfer-Encoding, because the chunks are taken apart
 */
export function renderResponseHead(
  scan: ResponseScanner,
  buffer: Buffer,
  start: number,
  extra: string,
  withoutChunks = false,
): string {
  const { cuts, cutCount } = scan;
  const fieldsEnd = scan.end - 2;
  let text = `HTTP/1.1${latin1(buffer, start + VERSION_LENGTH, scan.fieldsStart)}`;
  let from = scan.fieldsStart;
  for (let i = 0; i < cutCount; i += 2) {
    if (cuts[i] > from) text += latin1(buffer, from, cuts[i]);
    from = cuts[i + 1];
  }
  if (from < fieldsEnd) text += latin1(buffer, from, fieldsEnd);
  if (withoutChunks) text = dropTransferEncoding(text);
  return `${text}${extra}\r\n`;
}

function dropTransferEncoding(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  let result = '';
  let from = 0;
  findLines(bytes, text.indexOf('\r\n') + 2, bytes.length, TRANSFER_ENCODING, (line, lineEnd) => {
    result += text.slice(from, line);
    from = lineEnd;
  });
  return result + text.slice(from);
}
