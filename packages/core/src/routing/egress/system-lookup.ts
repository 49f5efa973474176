import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';

/** Addresses of a host as this machine resolves names: /etc/hosts, then DNS. */
export async function lookupHost(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

/** Addresses of this machine. */
export function machineAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
