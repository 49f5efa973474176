import { isIPv6, type Socket } from 'node:net';
import { plainAddress } from '../http1/server-fields.js';

/** Versions of the PROXY protocol (haproxy.org/download/3.0/doc/proxy-protocol.txt). */
export type ProxyProtocol = 'v1' | 'v2';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Version 2, command PROXY. */
const PROXY_COMMAND = 0x21;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

/** Who called, and where: the header that tells a server behind the sidecar. */
export function proxyHeader(
  version: ProxyProtocol,
  { remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>,
  original: { readonly address: string; readonly port: number },
): Buffer {
  const from = plainAddress(remoteAddress);
  const fromPort = remotePort ?? 0;
  // Both addresses must be of one family.
  const isKnown = from !== '' && isIPv6(from) === isIPv6(original.address);
  if (version === 'v1') {
    const family = isIPv6(from) ? 'TCP6' : 'TCP4';
    const line = isKnown ? `${family} ${from} ${original.address} ${fromPort} ${original.port}` : 'UNKNOWN';
    return Buffer.from(`PROXY ${line}\r\n`, 'latin1');
  }
  const addresses = isKnown
    ? Buffer.concat([bytesOf(from), bytesOf(original.address), Buffer.alloc(4)])
    : Buffer.alloc(0);
  if (isKnown) {
    addresses.writeUInt16BE(fromPort, addresses.length - 4);
    addresses.writeUInt16BE(original.port, addresses.length - 2);
  }
  const head = Buffer.from([PROXY_COMMAND, isKnown ? (isIPv6(from) ? TCP_OVER_IPV6 : TCP_OVER_IPV4) : 0, 0, 0]);
  head.writeUInt16BE(addresses.length, 2);
  return Buffer.concat([SIGNATURE, head, addresses]);
}

function bytesOf(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  // The parser of URLs writes an IPv6 address in one way only: hexadecimal groups, one gap.
  const canonical = new URL(`http://[${address.split('%')[0] ?? ''}]`).hostname.slice(1, -1);
  const [before = '', after] = canonical.split('::');
  const groups = (text: string | undefined): number[] =>
    text === undefined || text === '' ? [] : text.split(':').map((group) => parseInt(group, 16));
  const head = groups(before);
  const tail = groups(after);
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
