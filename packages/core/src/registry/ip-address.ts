import { SocketAddress, isIPv6 } from 'node:net';

const IPV4_MAPPED = '::ffff:';

/**
 * The one spelling of an IP address that look-ups use: IPv6 as RFC 5952 writes it (lower case, shortest form), IPv4-mapped IPv6
 * (RFC 4291, 2.5.5.2) as plain IPv4. Anything else, such as a host name, is answered as it is.
 */
export function canonicalIp(text: string): string {
  if (!isIPv6(text)) return text;
  // A scope (`fe80::1%eth0`) belongs to the machine, not to the address.
  const percent = text.indexOf('%');
  const { address } = new SocketAddress({ address: percent < 0 ? text : text.slice(0, percent), family: 'ipv6' });
  const embedded = address.startsWith(IPV4_MAPPED) ? address.slice(IPV4_MAPPED.length) : '';
  return embedded.includes('.') ? embedded : address;
}
