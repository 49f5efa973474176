import { isIP } from 'node:net';
import { MeshError, type HostPort, type MeshDocument } from '@mesher/core';

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

/**
 * What a sidecar listens on: outbound always on loopback, inbound on the configured address if that is another one. Which of the two a
 * connection is, is decided by the socket that accepted it, never by what it says.
 * @throws MeshError MESH_ERR_LISTEN_ADDRESS for an address that cannot serve
 */
export function planListeners(document: MeshDocument): ListenPlan {
  const http = document.protocols.get('http');
  const key = 'servicecomb.protocols.http.listenAddress';
  const listen = http?.listenAddress ?? DEFAULT_HTTP;
  const host = listen.host === 'localhost' ? '127.0.0.1' : listen.host;
  const family = isIP(host);
  if (host === '0.0.0.0' || host === '::' || host === '') {
    throw new MeshError(
      'MESH_ERR_LISTEN_ADDRESS',
      `${key}: a sidecar does not listen on ${host === '' ? 'an empty host' : host}: calls of the application (on loopback) and calls to it ` +
        `(on the address of this machine) are told apart by the address. Write the address that others reach, for example 10.0.0.7:${listen.port}`,
    );
  }
  if (family === 0) {
    throw new MeshError(
      'MESH_ERR_LISTEN_ADDRESS',
      `${key}: '${host}' is not an IP address; write the address that others reach, or 127.0.0.1`,
    );
  }
  const isLoopbackOnly = host === '127.0.0.1' || host === '::1';
  const outboundHosts = family === 6 ? ['::1', '127.0.0.1'] : ['127.0.0.1'];
  const inbound = isLoopbackOnly ? undefined : { host, port: listen.port };
  const ignored = [...document.protocols.keys()].filter((name) => !KNOWN.has(name));
  return {
    outbound: outboundHosts.map((outbound) => ({ host: outbound, port: listen.port })),
    inbound,
    advertised: inbound === undefined ? undefined : (http?.advertiseAddress ?? inbound),
    admin: document.admin.enable ? (document.protocols.get('rest-admin')?.listenAddress ?? DEFAULT_ADMIN) : undefined,
    ignored,
  };
}
