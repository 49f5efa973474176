import { HostIndex, canonicalIp, hostPatternProblem, isForbiddenName } from '@mesher/core';
import { BlockList, isIP } from 'node:net';
import { readTarget } from './target.js';

/** The entry that stands for all services that the registry knows. */
export const ALL_SERVICES = '@services';

/** Nets of addresses that no other machine has: whoever writes down one of them, or a part of it, means just these. */
const OWN_NETS: readonly Net[] = [
  { address: '127.0.0.0', prefix: 8, family: 'ipv4' },
  { address: '0.0.0.0', prefix: 8, family: 'ipv4' },
  { address: '169.254.0.0', prefix: 16, family: 'ipv4' },
  { address: '224.0.0.0', prefix: 4, family: 'ipv4' },
  { address: 'fe80::', prefix: 10, family: 'ipv6' },
  { address: 'ff00::', prefix: 8, family: 'ipv6' },
];

/** Bits of an address. */
const BITS = { ipv4: 32, ipv6: 128 } as const;
/** Bits before the IPv4 address in ::ffff:10.0.0.0 (RFC 4291, 2.5.5.2). */
const MAPPED_BITS = 96;

/**
 * no: it must not be called. yes: it may, unless it leads to this machine, its link or its metadata service. named: it may, wherever it leads,
 * since somebody has written down this very address.
 */
export type Allowance = 'no' | 'yes' | 'named';

interface Net {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

type Entry =
  | { readonly kind: 'services' }
  | ({ readonly kind: 'net' } & Net)
  | { readonly kind: 'host'; readonly host: string; readonly port: number | undefined };

/** @returns what is wrong with an entry, as a text that begins with the entry; undefined when nothing is */
export function allowEntryProblem(text: string): string | undefined {
  return readEntry(text) === undefined
    ? `'${text.slice(0, 100)}' is neither a host, host:port, *.suffix, address, net (10.0.0.0/8) nor ${ALL_SERVICES}`
    : undefined;
}

/** Targets that requests may be sent to by those who sent them. */
export class AllowList {
  readonly allServices: boolean;
  /** By host or pattern: the ports that are meant; undefined for all. */
  readonly #hosts = new HostIndex<Set<number | undefined>>();
  // One for each family: to a BlockList ::/0 contains IPv4, and so does ::/64.
  readonly #nets = { ipv4: new BlockList(), ipv6: new BlockList() };
  readonly #named = { ipv4: new BlockList(), ipv6: new BlockList() };

  /** @param entries each without an {@link allowEntryProblem} */
  constructor(entries: readonly string[]) {
    const read = entries.flatMap((text) => readEntry(text) ?? []);
    this.allServices = read.some(({ kind }) => kind === 'services');
    const ports = new Map<string, Set<number | undefined>>();
    for (const entry of read) {
      if (entry.kind === 'host') ports.set(entry.host, (ports.get(entry.host) ?? new Set()).add(entry.port));
      if (entry.kind !== 'net') continue;
      const { address, family, prefix } = entry;
      this.#nets[family].addSubnet(address, prefix, family);
      if (namesAddresses(entry)) this.#named[family].addSubnet(address, prefix, family);
    }
    for (const [host, meant] of ports) this.#hosts.add(host, meant);
  }

  /** @param host a name in lower case, or an IP address as {@link readTarget} gives it */
  of(host: string, port: number): Allowance {
    const family = isIP(host);
    const isNamed = has(this.#hosts.exact(host), port);
    if (family === 0) {
      if (isNamed) return isForbiddenName(host) ? 'named' : 'yes';
      return has(this.#hosts.below(host), port) ? 'yes' : 'no';
    }
    if (isNamed) return 'named';
    const kind = family === 4 ? 'ipv4' : 'ipv6';
    if (this.#named[kind].check(host, kind)) return 'named';
    return this.#nets[kind].check(host, kind) ? 'yes' : 'no';
  }
}

function has(ports: ReadonlySet<number | undefined> | undefined, port: number): boolean {
  return ports !== undefined && (ports.has(undefined) || ports.has(port));
}

function readEntry(text: string): Entry | undefined {
  if (text === ALL_SERVICES) return { kind: 'services' };
  const slash = text.indexOf('/');
  if (slash >= 0) return readNet(text.slice(0, slash), text.slice(slash + 1));
  if (isIP(text) !== 0) return { kind: 'host', host: canonicalIp(text), port: undefined };
  const isWild = text.startsWith('*.');
  const target = readTarget(isWild ? text.slice(2) : text);
  if (target === undefined) return undefined;
  const host = isWild ? `*.${target.host}` : target.host;
  if (isWild && (isIP(target.host) !== 0 || hostPatternProblem(host) !== undefined)) return undefined;
  return { kind: 'host', host, port: target.port };
}

/** True for a single address, and for a net of nothing but addresses that no other machine has. */
function namesAddresses({ address, prefix, family }: Net): boolean {
  if (prefix === BITS[family]) return true;
  return OWN_NETS.some((own) => {
    const list = new BlockList();
    list.addSubnet(own.address, own.prefix, own.family);
    return own.family === family && prefix >= own.prefix && list.check(address, family);
  });
}

function readNet(address: string, digits: string): Entry | undefined {
  const family = isIP(address);
  const prefix = /^\d{1,3}$/.test(digits) ? Number(digits) : Number.NaN;
  if (family === 0 || !(prefix <= (family === 4 ? BITS.ipv4 : BITS.ipv6))) return undefined;
  const plain = canonicalIp(address);
  if (family === 4 || isIP(plain) === 6) {
    return { kind: 'net', address: plain, prefix, family: family === 4 ? 'ipv4' : 'ipv6' };
  }
  // Targets are looked up as plain IPv4.
  return prefix < MAPPED_BITS
    ? undefined
    : { kind: 'net', address: plain, prefix: prefix - MAPPED_BITS, family: 'ipv4' };
}
