import { isIP } from 'node:net';
import { isLoopback } from '@mesher/admin';
import { MeshError, canonicalIp, formatHostPort, type HostPort, type MeshDocument } from '@mesher/core';

/** Ports of the original mesher, which users know. */
export const DEFAULT_HTTP = { host: '127.0.0.1', port: 30_101 } as const;
export const DEFAULT_ADMIN = { host: '127.0.0.1', port: 30_102 } as const;

export interface ListenPlan {
  /** Where the local application calls. */
  readonly outbound: readonly HostPort[];
  /** Where others call the local application; undefined for a sidecar that only calls. */
  readonly inbound: HostPort | undefined;
  /** The address to register for {@link inbound}. */
  readonly advertised: HostPort | undefined;
  /** Undefined when the admin API is switched off. */
  readonly admin: HostPort | undefined;
  /** Protocols in the configuration that this version does not listen for. */
  readonly ignored: readonly string[];
}

const KNOWN: ReadonlySet<string> = new Set(['http', 'rest-admin']);
const HTTP_KEY = 'servicecomb.protocols.http.listenAddress';
const ADMIN_KEY = 'servicecomb.protocols.rest-admin.listenAddress';
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const BROADCAST = '255.255.255.255';

/**
 * What a sidecar listens on: outbound always on loopback, inbound on the configured address if that is another one. Which of the two a
 * connection is, is decided by the socket that accepted it, never by what it says.
 * @throws MeshError MESH_ERR_LISTEN_ADDRESS for an address that cannot serve, or that is needed twice
 */
export function planListeners(document: MeshDocument): ListenPlan {
  const http = document.protocols.get('http');
  const { host, port } = readAddress(HTTP_KEY, http?.listenAddress ?? DEFAULT_HTTP);
  if (WILDCARDS.has(host)) {
    throw refusal(
      HTTP_KEY,
      `a sidecar does not listen on ${host}: calls of the application (on loopback) and calls to it (on the address of this machine) ` +
        `are told apart by the address. Write the address that others reach, for example 10.0.0.7:${port}`,
    );
  }
  const isLoopbackOnly = host === '127.0.0.1' || host === '::1';
  const outboundHosts = isIP(host) === 6 ? ['::1', '127.0.0.1'] : ['127.0.0.1'];
  const inbound = isLoopbackOnly ? undefined : { host, port };
  const plan: ListenPlan = {
    outbound: outboundHosts.map((outbound) => ({ host: outbound, port })),
    inbound,
    advertised: inbound === undefined ? undefined : (http?.advertiseAddress ?? inbound),
    admin: planAdmin(document),
    ignored: [...document.protocols.keys()].filter((name) => !KNOWN.has(name)),
  };
  checkListeners(document, plan);
  return plan;
}

function planAdmin(document: MeshDocument): HostPort | undefined {
  if (!document.admin.enable) return undefined;
  const admin = readAddress(ADMIN_KEY, document.protocols.get('rest-admin')?.listenAddress ?? DEFAULT_ADMIN);
  if (isLoopback(admin.host) || document.admin.allowRemote) return admin;
  throw refusal(
    ADMIN_KEY,
    `${admin.host} can be reached from other machines, and the admin API has no login: listen on 127.0.0.1, or set admin.allowRemote: true`,
  );
}

/** Finds addresses that are needed twice, and listeners that would call themselves. */
function checkListeners(document: MeshDocument, plan: ListenPlan): void {
  const taken = new Map<string, string>();
  const take = (key: string, address: HostPort): void => {
    const other = taken.get(formatHostPort(address));
    if (other !== undefined)
      throw refusal(key, `${formatHostPort(address)} is already the address of ${other}; choose another`);
    taken.set(formatHostPort(address), key);
  };
  for (const address of plan.outbound) take(`${HTTP_KEY} (outbound)`, address);
  if (plan.inbound !== undefined) take(HTTP_KEY, plan.inbound);
  if (plan.admin !== undefined) take(ADMIN_KEY, plan.admin);
  document.mesher.listeners.forEach(({ listen, service }, index) => {
    const key = `mesher.listeners[${index}].listen`;
    const address = readAddress(key, listen);
    if (service !== undefined && WILDCARDS.has(address.host)) {
      throw refusal(
        key,
        `${address.host} would let every machine call '${service}' through this sidecar; listen on 127.0.0.1`,
      );
    }
    take(key, address);
  });
  document.mesher.listeners.forEach(({ target }, index) => {
    const own =
      target === undefined ? undefined : taken.get(formatHostPort({ ...target, host: canonicalHost(target.host) }));
    if (own !== undefined)
      throw refusal(
        `mesher.listeners[${index}].target`,
        `it is the address of ${own}: calls would go round in circles`,
      );
  });
}

/** @throws MeshError MESH_ERR_LISTEN_ADDRESS for what is no address of one place */
function readAddress(key: string, { host, port }: HostPort): HostPort {
  const canonical = canonicalHost(host);
  if (isIP(canonical) === 0) {
    throw refusal(key, `'${host}' is not an IP address; write the address that others reach, or 127.0.0.1`);
  }
  if (canonical === BROADCAST)
    throw refusal(key, `${host} means all machines of a network; write the address of this one`);
  if (port === 0) throw refusal(key, 'the port must be known to others: write a port from 1 to 65535');
  return { host: canonical, port };
}

function canonicalHost(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : canonicalIp(host);
}

function refusal(key: string, text: string): MeshError {
  return new MeshError('MESH_ERR_LISTEN_ADDRESS', `${key}: ${text}`);
}
