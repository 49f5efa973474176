import { jittered, pause, readEndpoint, type Logger, type Ports } from '@mesher/core';
import type { Nearness } from './address-pool.js';
import type { ServiceCenter } from './service-center.js';
import { itemsOf, membersOf, textOf } from './wire-model.js';

/** Most nodes that are taken: nobody runs more, and each call looks at all of them. */
const MAX_NODES = 64;

/** Addresses of this machine alone, as in a URL and without brackets. */
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[?::1\]?)$/i;
/** Of a server that listens on all addresses. */
const UNSPECIFIED = /^(?:0\.0\.0\.0|::)$/;

/**
 * Keeps the addresses of service-center as it says them itself (`autodiscovery`), until `signal` aborts. Configured addresses stay in
 * use besides. Never rejects.
 * @param zone own availability zone; its nodes are preferred
 * @param isTls whether the configured addresses are https
 */
export async function followNodes(
  center: ServiceCenter,
  zone: string | undefined,
  isTls: boolean,
  intervalMs: number,
  ports: Ports,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const isHere = center.pool.configured.some((base) => LOOPBACK.test(new URL(base).hostname));
  while (!signal.aborted) {
    try {
      const found = readNodes(await center.nodes(signal), zone, isTls, isHere);
      // One that knows no other must not take away what others said.
      if (found.size > 0) center.pool.discovered(found);
    } catch (error) {
      if (signal.aborted) return;
      logger.debug({ error }, 'service-center does not say where its nodes are');
    }
    await pause(ports, jittered(ports, intervalMs), signal);
  }
}

/**
 * Base URLs of the nodes, from what `/health` says: the addresses on which they listen. One that listens on all its addresses, or on
 * loopback behind a gateway, names what is this machine to everybody, and another registry may be there.
 * @param isHere whether service-center is on this machine
 */
export function readNodes(
  instances: readonly unknown[],
  zone: string | undefined,
  isTls: boolean,
  isHere: boolean,
): ReadonlyMap<string, Nearness> {
  const found = new Map<string, Nearness>();
  for (const item of instances) {
    const { endpoints, dataCenterInfo } = membersOf(item);
    const nodeZone = textOf(membersOf(dataCenterInfo)['availableZone']);
    for (const endpoint of itemsOf(endpoints)) {
      const read = readEndpoint(endpoint);
      if (read?.protocol !== 'rest') continue;
      const { host, port, tls } = read.address;
      if (UNSPECIFIED.test(host) || (LOOPBACK.test(host) && !isHere)) continue;
      const shown = host.includes(':') ? `[${host}]` : host;
      const base = `${tls || isTls ? 'https' : 'http'}://${shown}:${port}`;
      if (found.size === MAX_NODES && !found.has(base)) return found;
      found.set(base, zone !== undefined && nodeZone === zone ? 'own-zone' : 'other-zone');
    }
  }
  return found;
}
