/** Address families of Linux. */
const AF_INET = 2;
const AF_INET6 = 10;

/** struct sockaddr_in is 16 bytes long, struct sockaddr_in6 28. */
export const SOCKADDR_BYTES = 28;

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
