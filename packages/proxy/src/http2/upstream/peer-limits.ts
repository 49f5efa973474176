import { Rejection } from '@mesher/core';
import type { OutgoingHead } from '../connection/attempt-stream.js';
import type { HeaderField } from '../hpack/header-field.js';
import type { Http2UpstreamConnection } from './http2-upstream-connection.js';
import type { UpstreamStream } from './upstream-stream.js';

/** Why the peer of a connection would not take a request; undefined when it takes it, as far as it has said. */
export function refusalOf(
  { request, needsExtendedConnect }: UpstreamStream,
  { peer, endpoint }: Http2UpstreamConnection,
): Rejection | undefined {
  const { maxHeaderListBytes, allowsExtendedConnect } = peer;
  const size = maxHeaderListBytes === Infinity ? 0 : listSizeOf(request, maxHeaderListBytes);
  if (size > maxHeaderListBytes) {
    const problem = `the header list has ${size} bytes, and ${endpoint.key} takes ${maxHeaderListBytes}`;
    return new Rejection('MESH_ERR_HEADER_TOO_LARGE', problem);
  }
  if (!needsExtendedConnect || allowsExtendedConnect) return undefined;
  return new Rejection('MESH_ERR_NOT_IMPLEMENTED', `${endpoint.key} does not take CONNECT with :protocol (RFC 8441)`);
}

/**
 * Size of a header list as it leaves, as RFC 9113, 10.5.1 counts it.
 * @param enough up to here more than the size may be returned, which needs no look at single fields
 */
export function listSizeOf({ block, edits, added }: OutgoingHead, enough: number): number {
  const addedSize = added === undefined ? 0 : sizeOf(added);
  const bound = block.listSize + (edits?.bound ?? 0) + addedSize;
  if (edits === undefined || bound <= enough) return bound;
  return sizeOf(edits.apply(block)) + addedSize;
}

function sizeOf(fields: readonly HeaderField[]): number {
  let size = 0;
  for (const field of fields) size += field.size;
  return size;
}
