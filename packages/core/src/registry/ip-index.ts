import type { Instance } from './instance.js';

/** Whose address is this? Built from everything the registry lists; swapped as a whole. */
export interface IpIndex {
  /** The one service with an instance at `ip`; undefined when there is none, or several services share the address. */
  byIp(ip: string): Instance | undefined;
  /** The one instance that listens at `ip:port`. */
  byAddress(ip: string, port: number): Instance | undefined;
}

/** An index over `instances`; an address shared by several services answers undefined for the bare IP. */
export function buildIpIndex(instances: readonly Instance[]): IpIndex {
  const byIp = new Map<string, Instance | undefined>();
  const byAddress = new Map<string, Instance>();
  for (const instance of instances) {
    for (const address of instance.addresses.values()) {
      byAddress.set(`${address.host}|${address.port}`, instance);
      const known = byIp.get(address.host);
      if (!byIp.has(address.host)) byIp.set(address.host, instance);
      else if (known !== undefined && known.service !== instance.service) byIp.set(address.host, undefined);
    }
  }
  return {
    byIp: (ip) => byIp.get(ip),
    byAddress: (ip, port) => byAddress.get(`${ip}|${port}`),
  };
}
