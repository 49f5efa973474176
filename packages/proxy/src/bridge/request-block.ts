import { trimText } from '../http1/characters.js';
import { isGrpcType } from '../http2/exchange/request-note.js';
import { HeaderBlock } from '../http2/hpack/header-block.js';
import { HeaderField } from '../http2/hpack/header-field.js';
import { fieldsOfLines } from './field-lines.js';
import { WEBSOCKET } from './websocket-handshake.js';

/** Fields that belong to connections of HTTP/1, or whose place in HTTP/2 is a pseudo-header field (RFC 9113, 8.2.2 and 8.3.1). */
const NOT_PASSED: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

const KEY = 'sec-websocket-key';

/** A request of HTTP/1 as HTTP/2 has it. */
export class BlockRequest {
  isChunked = false;
  /** Bytes of the body; 0 also when it comes in chunks. */
  contentLength = 0;
  isGrpc = false;
  /** `Sec-WebSocket-Key` of a request for a WebSocket, which has become an extended CONNECT (RFC 8441, 5); undefined for other requests. */
  webSocketKey: string | undefined = undefined;

  constructor(readonly block: HeaderBlock) {}

  /** There is no body. */
  get endsWithHead(): boolean {
    return !this.isChunked && this.contentLength === 0 && this.webSocketKey === undefined;
  }
}

/**
 * Translates the head of a request (RFC 9113, 8.3.1): names in lower case, in their order, `Host` as `:authority`. An upgrade to
 * something other than a WebSocket is left out, as anybody on the way may do (RFC 9110, 7.8).
 * @param head as it would go to an instance of HTTP/1: origin or asterisk form, framing fields that were checked
 * @param authorityOfNone `:authority` of a request that names none: servers refuse those, although the RFC allows them
 */
export function translateRequest(head: string, authorityOfNone = ''): BlockRequest {
  const lineEnd = head.indexOf('\r\n');
  const methodEnd = head.indexOf(' ');
  const method = head.slice(0, methodEnd);
  const path = head.slice(methodEnd + 1, head.lastIndexOf(' ', lineEnd));
  const lines = fieldsOfLines(head.slice(lineEnd + 2, -2));
  let key: string | undefined;
  let isWebSocket = false;
  let authority = authorityOfNone;
  let isChunked = false;
  let contentLength = 0;
  let isGrpc = false;
  const fields: HeaderField[] = [];
  for (const field of lines) {
    const { name, value } = field;
    if (name === 'host') authority = value === '' ? authorityOfNone : value;
    else if (name === 'upgrade') isWebSocket = value.toLowerCase() === WEBSOCKET;
    else if (name === 'transfer-encoding') isChunked = trimText(value).toLowerCase() === 'chunked';
    else if (name === KEY) key = value;
    else if (!NOT_PASSED.has(name)) {
      if (name === 'content-length') contentLength = Number(value);
      else if (name === 'content-type') isGrpc = isGrpcType(value);
      fields.push(field);
    }
  }
  const asksForWebSocket = isWebSocket && key !== undefined && method === 'GET';
  const pseudo = [new HeaderField(':method', asksForWebSocket ? 'CONNECT' : method)];
  if (asksForWebSocket) pseudo.push(new HeaderField(':protocol', WEBSOCKET));
  pseudo.push(new HeaderField(':scheme', 'http'), new HeaderField(':path', path));
  if (authority !== '') pseudo.push(new HeaderField(':authority', authority));
  if (key !== undefined && !asksForWebSocket) fields.push(new HeaderField(KEY, key));
  const request = new BlockRequest(HeaderBlock.of([...pseudo, ...fields]));
  request.isChunked = isChunked;
  request.contentLength = contentLength;
  request.isGrpc = isGrpc;
  if (asksForWebSocket) request.webSocketKey = key;
  return request;
}
