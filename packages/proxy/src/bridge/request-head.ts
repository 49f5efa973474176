import { summarize } from '../http2/field-summary.js';
import type { OutgoingHead } from '../http2/connection/attempt-stream.js';
import type { HeaderField } from '../http2/hpack/header-field.js';
import { isPseudo } from '../http2/hpack/header-field.js';

/** Fields that the bridge writes itself, or that are meant for one hop (RFC 9110, 7.6.1; RFC 9113, 8.2.2). */
const NOT_PASSED: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Methods whose requests say that they have no body, because others expect one (RFC 9110, 8.6). */
const WITH_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

const COOKIE = 'cookie';
const SLASH = 47;

/** A request of HTTP/2 as HTTP/1 has it. */
export interface RenderedRequest {
  readonly text: string;
  readonly isChunked: boolean;
  /** Bytes of the body; -1 when only its end tells. */
  readonly contentLength: number;
}

/** What an upgrade request asks for, and how (RFC 9110, 7.8; RFC 6455, 4.1). */
export interface UpgradeRequest {
  readonly protocol: string;
  /** Value of `Sec-WebSocket-Key`. */
  readonly key: string;
}

/** The fields of a head as they are to be sent: edits applied, additions behind. */
export function fieldsOf({ block, edits, added }: OutgoingHead): readonly HeaderField[] {
  const fields = edits === undefined ? block.fields : edits.apply(block);
  return added === undefined ? fields : [...fields, ...added];
}

/**
 * The head of a request as HTTP/1.1 (RFC 9112, 3): the authority as `Host`, the crumbs of a cookie in one line (RFC 9113, 8.2.3), a body
 * of unknown length in chunks. What could end a line or the head too early is never written.
 * @param endStream there is no body
 * @param upgrade set for an extended CONNECT (RFC 8441, 5): the request is a GET that asks for that protocol
 * @returns what is wrong with the request instead, in words that complete `The request has ...`
 */
export function renderRequest(
  head: OutgoingHead,
  endStream: boolean,
  upgrade: UpgradeRequest | undefined,
): RenderedRequest | string {
  const { method, contentLength } = summarize(head.block);
  if (endStream && contentLength > 0) return 'no body, but a content-length that announces one';
  let path = '';
  let authority: string | undefined;
  let host = '';
  let cookie: string | undefined;
  let lines = '';
  for (const { name, value, isMalformed } of fieldsOf(head)) {
    // Checked when it came; once more here, because in HTTP/1 such a field would be more than a field.
    if (isMalformed) return 'a field that HTTP/1 cannot carry';
    if (isPseudo(name)) {
      if (name === ':path') path = value;
      else if (name === ':authority') authority = value;
    } else if (name === COOKIE) cookie = cookie === undefined ? value : `${cookie}; ${value}`;
    else if (name === 'host') host = value;
    else if (!NOT_PASSED.has(name) && !(upgrade !== undefined && name === 'sec-websocket-key')) {
      lines += `${name}: ${value}\r\n`;
    }
  }
  if (path.charCodeAt(0) !== SLASH && !(path === '*' && method === 'OPTIONS')) {
    return 'a :path that does not begin with a slash';
  }
  if (cookie !== undefined) lines += `cookie: ${cookie}\r\n`;
  let isChunked = false;
  let length = contentLength;
  if (upgrade !== undefined) {
    lines += `connection: upgrade\r\nupgrade: ${upgrade.protocol}\r\nsec-websocket-key: ${upgrade.key}\r\n`;
    length = 0;
  } else if (contentLength >= 0) lines += `content-length: ${contentLength}\r\n`;
  else if (!endStream) {
    lines += 'transfer-encoding: chunked\r\n';
    isChunked = true;
  } else {
    length = 0;
    if (WITH_CONTENT.has(method)) lines += 'content-length: 0\r\n';
  }
  const requestLine = `${upgrade === undefined ? method : 'GET'} ${path} HTTP/1.1\r\n`;
  return {
    text: `${requestLine}host: ${authority ?? host}\r\n${lines}\r\n`,
    isChunked,
    contentLength: length,
  };
}
