import { BlockList, isIP } from 'node:net';

/** Addresses of cloud machines at which they hand out credentials, besides the link-local 169.254.169.254. */
const METADATA_ADDRESSES: readonly string[] = ['100.100.100.200', 'fd00:ec2::254', '168.63.129.16'];

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
    const plain = address.split('%')[0] as string;
    const family = isIP(plain);
    if (family === 0) return true;
    return this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4') || this.#hasEmbedded(plain, family);
  }

  /** NAT64 and 6to4 carry an IPv4 address inside of one of IPv6. */
  #hasEmbedded(address: string, family: number): boolean {
    if (family !== 6) return false;
    const groups = expand(address);
    const embedded =
      groups.slice(0, 6).join(':') === '64:ff9b:0:0:0:0' || groups.slice(0, 6).every((group) => group === '0')
        ? groups.slice(6)
        : groups[0] === '2002'
          ? groups.slice(1, 3)
          : undefined;
    if (embedded === undefined) return false;
    const [high = 0, low = 0] = embedded.map((group) => Number.parseInt(group, 16));
    return this.#list.check([high >> 8, high & 255, low >> 8, low & 255].join('.'), 'ipv4');
  }
}

/** The eight groups of an IPv6 address, without leading zeros. */
function expand(address: string): string[] {
  const url = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = url.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: missing }, () => '0'), ...right];
}

/** Names of this machine, and of metadata services. */
export function isForbiddenName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || METADATA_HOSTS.has(host);
}
