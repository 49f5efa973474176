import { BlockList, isIP } from 'node:net';

/**
 * True for an address that only this machine reaches: 127.0.0.0/8 (RFC 1122, 3.2.1.3), `::1`, the IPv4-mapped form of the former, and
 * the name `localhost` (RFC 6761, 6.3).
 * @param host an address without brackets and port, or a name
 */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  // A BlockList looks at IPv4-mapped addresses as IPv4.
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** `::ffff:10.0.0.1`, as a dual-stack socket shows an IPv4 peer, becomes `10.0.0.1`; anything else stays. */
export function withoutMapping(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}
