import { latin1 } from './characters.js';
import { FieldName } from './field-lookup.js';
import { cutRemoved } from './head-edits.js';
import type { ResponseScanner } from './response-scanner.js';

const TRANSFER_ENCODING = new FieldName('transfer-encoding');
/** Says that a sidecar made the answer; peers act on it, so an application must not be able to say it. */
const MESHER_ERROR = new FieldName('x-mesher-error');
/** `HTTP/1.x` is replaced by the version that we speak ourselves (RFC 9110, 2.5). */
const VERSION_LENGTH = 8;

/**
 * The head of an answer as it goes to the client: byte for byte in its order, without the fields of the upstream hop.
 * @param scan has just scanned this very head
 * @param start of the status line
 * @param extra further field lines, each ended by CRLF
 * @param without fields that are left out, see {@link fieldsToDrop}
 */
export function renderResponseHead(
  scan: ResponseScanner,
  buffer: Buffer,
  start: number,
  extra: string,
  without?: readonly FieldName[],
): string {
  const fieldsEnd = scan.end - 2;
  if (without !== undefined) cutRemoved(scan, buffer, scan.fieldsStart, fieldsEnd, without);
  const { cuts, cutCount } = scan;
  let text = `HTTP/1.1${latin1(buffer, start + VERSION_LENGTH, scan.fieldsStart)}`;
  let from = scan.fieldsStart;
  for (let i = 0; i < cutCount; i += 2) {
    if (cuts[i] > from) text += latin1(buffer, from, cuts[i]);
    from = cuts[i + 1];
  }
  if (from < fieldsEnd) text += latin1(buffer, from, fieldsEnd);
  return `${text}${extra}\r\n`;
}

/**
 * The fields of an answer that do not go on to the client; undefined in the usual case.
 * @param dechunk the chunks are taken apart, so Transfer-Encoding would be a lie
 * @param fromApplication the answer comes from the local application
 * @param removed fields that a policy takes out; those that frame the answer stay
 */
export function fieldsToDrop(
  scan: ResponseScanner,
  dechunk: boolean,
  fromApplication: boolean,
  removed?: readonly FieldName[],
): FieldName[] | undefined {
  const withoutChunks = dechunk && scan.chunked;
  const forged = fromApplication && (scan.presence & MESHER_ERROR.bit) !== 0;
  if (!withoutChunks && !forged && removed === undefined) return undefined;
  const names = (removed ?? []).filter(({ editProblem }) => editProblem === undefined);
  if (withoutChunks) names.push(TRANSFER_ENCODING);
  if (forged) names.push(MESHER_ERROR);
  return names;
}
