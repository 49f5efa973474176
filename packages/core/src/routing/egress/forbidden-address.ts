import { BlockList, isIP } from 'node:net';

/** Addresses of cloud machines at which they hand out credentials, besides the link-local 169.254.169.254. */
const METADATA_ADDRESSES: readonly string[] = [
  ...['100.100.100.200', '168.63.129.16', '192.0.0.192'],
  ...['fd00:ec2::254', 'fd20:ce::254'],
];

/** Host names that lead there whatever DNS says. */
const METADATA_HOSTS: ReadonlySet<string> = new Set(['metadata.google.internal', 'metadata', 'instance-data']);

/**
 * Addresses that no host outside has: the machine itself, its link, its metadata service. A name that leads there is a mistake, or an
 * attack by which a caller reaches through the sidecar what it cannot reach itself (server-side request forgery).
 */
export class ForbiddenAddresses {
  readonly #list = new BlockList();

  constructor() {
    const list = this.#list;
    list.addSubnet('127.0.0.0', 8);
    list.addSubnet('0.0.0.0', 8);
    list.addSubnet('169.254.0.0', 16);
    list.addSubnet('224.0.0.0', 4);
    list.addAddress('255.255.255.255');
    list.addAddress('::1', 'ipv6');
    list.addAddress('::', 'ipv6');
    list.addSubnet('fe80::', 10, 'ipv6');
    list.addSubnet('ff00::', 8, 'ipv6');
    for (const address of METADATA_ADDRESSES) list.addAddress(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }

  /** @param address an IP address; IPv4 inside IPv6 counts as what it is */
  has(address: string): boolean {
    const plain = withoutZone(address);
    const family = isIP(plain);
    if (family === 0) return true;
    return this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4') || this.#hasEmbedded(plain, family);
  }

  /** Several ranges carry an IPv4 address inside of one of IPv6, and a translator on the way delivers it there. */
  #hasEmbedded(address: string, family: number): boolean {
    if (family !== 6) return false;
    const groups = expand(address);
    const at =
      groups[0] === SIX_TO_FOUR ? 1 : TRANSLATED.some((prefix) => groups.join(':').startsWith(prefix)) ? 6 : -1;
    if (at < 0) return false;
    const [high = 0, low = 0] = groups.slice(at).map((group) => Number.parseInt(group, 16));
    return this.#list.check([high >> 8, high & 255, low >> 8, low & 255].join('.'), 'ipv4');
  }
}

/** RFC 3056: the IPv4 address follows the first group. */
const SIX_TO_FOUR = '2002';

/** Addresses that end in one of IPv4: compatible (RFC 4291, 2.5.5.1), translated (RFC 2765, 2.1), NAT64 (RFC 6052, 2.1; RFC 8215). */
const TRANSLATED: readonly string[] = ['0:0:0:0:0:0:', '0:0:0:0:ffff:0:', '64:ff9b:0:0:0:0:', '64:ff9b:1:'];

/** The eight groups of an IPv6 address, without leading zeros. */
function expand(address: string): string[] {
  const url = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = url.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: missing }, () => '0'), ...right];
}

/** Whether an IP address is one of several; IPv4 inside IPv6 (`::ffff:10.0.0.1`) counts as what it is. */
export function isAmong(address: string, addresses: readonly string[]): boolean {
  const list = new BlockList();
  for (const one of addresses) list.addAddress(withoutZone(one), familyOf(one));
  return list.check(withoutZone(address), familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** `fe80::1%eth0` without the name of the interface. */
function withoutZone(address: string): string {
  return address.split('%')[0] as string;
}

/** Names of this machine, and of metadata services. */
export function isForbiddenName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || METADATA_HOSTS.has(host);
}
