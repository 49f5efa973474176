import { createHash } from 'node:crypto';
import type { Random } from '@mesher/core';

/** The protocol of which this bridge knows how HTTP/1 begins it and how HTTP/2 does (RFC 8441, 5). */
export const WEBSOCKET = 'websocket';

/** Bytes of a key (RFC 6455, 4.1). */
const KEY_BYTES = 16;
/** What a server appends to the key before it is hashed (RFC 6455, 1.3). */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A value for `Sec-WebSocket-Key`. It keeps caches from answering, and is no secret (RFC 6455, 10.3). */
export function newWebSocketKey(random: Random): string {
  const bytes = Buffer.allocUnsafe(KEY_BYTES);
  for (let i = 0; i < KEY_BYTES; i++) bytes[i] = Math.floor(random.next() * 256);
  return bytes.toString('base64');
}

/** The value of `Sec-WebSocket-Accept` that belongs to a key (RFC 6455, 4.2.2). */
export function webSocketAccept(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`, 'latin1').digest('base64');
}
