import { groupsOf } from '../settings/cidr.js';

/** Address families of Linux. */
export const AF_INET = 2;
export const AF_INET6 = 10;

/** struct sockaddr_in is 16 bytes long, struct sockaddr_in6 28. */
export const SOCKADDR_BYTES = 28;
const SOCKADDR_IN_BYTES = 16;

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** Reads a struct sockaddr. @returns undefined for a family that is neither IPv4 nor IPv6 */
export function readSockaddr(bytes: DataView, littleEndian: boolean): SocketAddress | undefined {
  const family = bytes.getUint16(0, littleEndian);
  // Port and address are in network order.
  const port = bytes.getUint16(2);
  if (family === AF_INET) {
    const parts = [4, 5, 6, 7].map((offset) => bytes.getUint8(offset));
    return { address: parts.join('.'), port };
  }
  if (family !== AF_INET6) return undefined;
  const groups = [8, 10, 12, 14, 16, 18, 20, 22].map((offset) => bytes.getUint16(offset));
  return { address: compress(groups), port };
}

/** Writes a struct sockaddr. @param address without a zone */
export function writeSockaddr({ address, port }: SocketAddress, littleEndian: boolean): Uint8Array {
  const isIpv6 = address.includes(':');
  const view = new DataView(new ArrayBuffer(isIpv6 ? SOCKADDR_BYTES : SOCKADDR_IN_BYTES));
  view.setUint16(0, isIpv6 ? AF_INET6 : AF_INET, littleEndian);
  view.setUint16(2, port);
  if (isIpv6) groupsOf(address).forEach((group, index) => view.setUint16(8 + 2 * index, group));
  else address.split('.').forEach((part, index) => view.setUint8(4 + index, Number(part)));
  return new Uint8Array(view.buffer);
}

/** The form of RFC 5952: the longest run of zero groups, of two at least and the first of them, is `::`. */
function compress(groups: readonly number[]): string {
  let [start, length] = [-1, 1];
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (groups[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return start < 0 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}
