import { ForbiddenAddresses, HostIndex, canonicalIp, hostPatternProblem, isForbiddenName } from '@mesher/core';
import { BlockList, isIP } from 'node:net';
import { readTarget } from './target.js';

/** The entry that stands for all services that the registry knows. */
export const ALL_SERVICES = '@services';

/** Shortest prefix of a net that may name addresses nobody else has: 127.0.0.0/8 is one such net, and 0.0.0.0/0 is the world. */
const NARROW = { 4: 8, 6: 10 } as const;

/**
 * no: it must not be called. yes: it may, unless it leads to this machine, its link or its metadata service. named: it may, wherever it leads,
 * since somebody has written down this very address.
 */
export type Allowance = 'no' | 'yes' | 'named';

type Entry =
  | { readonly kind: 'services' }
  | { readonly kind: 'net'; readonly address: string; readonly prefix: number; readonly family: 4 | 6 }
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
  readonly #nets = new BlockList();
  readonly #named = new BlockList();

  /** @param entries each without an {@link allowEntryProblem} */
  constructor(entries: readonly string[]) {
    const read = entries.flatMap((text) => readEntry(text) ?? []);
    this.allServices = read.some(({ kind }) => kind === 'services');
    const ports = new Map<string, Set<number | undefined>>();
    const forbidden = new ForbiddenAddresses();
    for (const entry of read) {
      if (entry.kind === 'host') ports.set(entry.host, (ports.get(entry.host) ?? new Set()).add(entry.port));
      if (entry.kind !== 'net') continue;
      const { address, family, prefix } = entry;
      this.#nets.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
      if (prefix >= NARROW[family] && forbidden.has(address))
        this.#named.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
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
    if (this.#named.check(host, kind)) return 'named';
    return this.#nets.check(host, kind) ? 'yes' : 'no';
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

function readNet(address: string, digits: string): Entry | undefined {
  const family = isIP(address);
  const prefix = /^\d{1,3}$/.test(digits) ? Number(digits) : Number.NaN;
  if (family === 0 || !(prefix <= (family === 4 ? 32 : 128))) return undefined;
  return { kind: 'net', address, prefix, family: family === 4 ? 4 : 6 };
}
