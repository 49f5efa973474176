import { isIP } from 'node:net';
import { isLoopback } from '@mesher/admin';
import {
  MeshError,
  canonicalIp,
  formatHostPort,
  type HostPort,
  type MeshDocument,
  type MeshMode,
  type ProtocolConfig,
} from '@mesher/core';

/** Ports of the original mesher, which users know. */
export const DEFAULT_HTTP = { host: '127.0.0.1', port: 30_101 } as const;
export const DEFAULT_GRPC = { host: '127.0.0.1', port: 40_101 } as const;
export const DEFAULT_ADMIN = { host: '127.0.0.1', port: 30_102 } as const;

/** Where the local application calls. */
export interface OutboundAddress extends HostPort {
  /** A courtesy: the sidecar runs without it. */
  readonly optional: boolean;
  /** It is that of `protocols.grpc` alone: clients that ask for a tunnel there are of gRPC. */
  readonly isForGrpc: boolean;
}

export interface ListenPlan {
  readonly outbound: readonly OutboundAddress[];
  /** Where others call the local application; empty for a sidecar that only calls. */
  readonly inbound: readonly HostPort[];
  /** Where others reach {@link inbound}, by the protocol whose address it is. */
  readonly advertised: AdvertisedAddresses;
  /** Undefined when the admin API is switched off. */
  readonly admin: HostPort | undefined;
  /** Protocols in the configuration that this version does not listen for. */
  readonly ignored: readonly string[];
}

/** Addresses of the sidecar's inbound listeners, as others reach them. */
export interface AdvertisedAddresses {
  readonly http: HostPort | undefined;
  readonly grpc: HostPort | undefined;
}

const KNOWN: ReadonlySet<string> = new Set(['http', 'grpc', 'rest-admin']);
const HTTP_KEY = 'servicecomb.protocols.http.listenAddress';
const GRPC_KEY = 'servicecomb.protocols.grpc.listenAddress';
const ADMIN_KEY = 'servicecomb.protocols.rest-admin.listenAddress';
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const BROADCAST = '255.255.255.255';

/**
 * What a sidecar listens on, for HTTP always and for gRPC when something is configured for it: outbound on loopback, inbound on the
 * configured address if that is another one. Which of the two a connection is, is decided by the socket that accepted it, never by what
 * it says. Every listener tells the versions of HTTP apart, so both protocols may share an address.
 * @throws MeshError MESH_ERR_LISTEN_ADDRESS for an address that cannot serve, or that is needed twice
 */
export function planListeners(document: MeshDocument, mode: MeshMode = 'sidecar'): ListenPlan {
  const httpConfig = document.protocols.get('http');
  // Where connections come by themselves, an application is called and calls without any of these, unless somebody wants both.
  const isWanted = mode === 'sidecar' || httpConfig !== undefined;
  const http = isWanted ? planProtocol(HTTP_KEY, httpConfig ?? {}, DEFAULT_HTTP) : undefined;
  const grpcConfig = document.protocols.get('grpc');
  const grpc = grpcConfig === undefined ? undefined : planProtocol(GRPC_KEY, grpcConfig, DEFAULT_GRPC);
  const planned = [http, grpc].filter((plan) => plan !== undefined);
  const admin = planAdmin(document);
  checkListeners(document, planned, admin);
  return {
    outbound: outboundOf(planned),
    inbound: withoutTwins(planned.flatMap(({ inbound }) => (inbound === undefined ? [] : [inbound]))),
    advertised: { http: http?.advertised, grpc: grpc?.advertised },
    admin,
    ignored: [...document.protocols.keys()].filter((name) => !KNOWN.has(name)),
  };
}

/** The listeners of one protocol. */
interface ProtocolPlan {
  readonly key: string;
  readonly outbound: readonly OutboundAddress[];
  readonly inbound: HostPort | undefined;
  readonly advertised: HostPort | undefined;
}

function planProtocol(key: string, config: Partial<ProtocolConfig>, otherwise: HostPort): ProtocolPlan {
  const { host, port } = readAddress(key, config.listenAddress ?? otherwise);
  if (WILDCARDS.has(host)) {
    throw refusal(
      key,
      `a sidecar does not listen on ${host}: calls of the application (on loopback) and calls to it (on the address of this machine) ` +
        `are told apart by the address. Write the address that others reach, for example 10.0.0.7:${port}`,
    );
  }
  const isLoopbackOnly = host === '127.0.0.1' || host === '::1';
  const inbound = isLoopbackOnly ? undefined : { host, port };
  return {
    key,
    // With an IPv6 address, IPv4 loopback is a courtesy to applications that know no other.
    outbound: (isIP(host) === 6 ? ['::1', '127.0.0.1'] : ['127.0.0.1']).map((outbound, index) => ({
      ...{ host: outbound, port },
      optional: index > 0,
      isForGrpc: key === GRPC_KEY,
    })),
    inbound,
    advertised: inbound === undefined ? undefined : (config.advertiseAddress ?? inbound),
  };
}

/** Each address once; needed by one of the protocols, it is needed, and for gRPC only if it is for nothing else. */
function outboundOf(planned: readonly ProtocolPlan[]): OutboundAddress[] {
  const kept = new Map<string, OutboundAddress>();
  for (const address of planned.flatMap(({ outbound }) => outbound)) {
    const twin = kept.get(formatHostPort(address));
    kept.set(formatHostPort(address), {
      ...address,
      optional: address.optional && twin?.optional !== false,
      isForGrpc: address.isForGrpc && twin?.isForGrpc !== false,
    });
  }
  return [...kept.values()];
}

function withoutTwins(addresses: readonly HostPort[]): HostPort[] {
  return [...new Map(addresses.map((address) => [formatHostPort(address), address])).values()];
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

/** Finds addresses that are needed for two purposes, and listeners that would call themselves. */
function checkListeners(document: MeshDocument, planned: readonly ProtocolPlan[], admin: HostPort | undefined): void {
  const taken = new Map<string, string>();
  const take = (key: string, address: HostPort): void => {
    const other = taken.get(formatHostPort(address));
    if (other !== undefined)
      throw refusal(key, `${formatHostPort(address)} is already the address of ${other}; choose another`);
    taken.set(formatHostPort(address), key);
  };
  for (const { key, outbound, inbound } of planned) {
    // Protocols may share an address; outbound ones are on 127.0.0.1 or ::1, and inbound ones never are.
    for (const address of outbound) taken.set(formatHostPort(address), `${key} (outbound)`);
    if (inbound !== undefined) taken.set(formatHostPort(inbound), key);
  }
  if (admin !== undefined) take(ADMIN_KEY, admin);
  for (const [key, address] of telemetryAddresses(document)) take(key, readAddress(key, address));
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

/** Ports for metrics and profiles beside the admin port, by the key that opens them. */
function telemetryAddresses({ mesher, pprof }: MeshDocument): ReadonlyMap<string, HostPort> {
  const { host, port } = mesher.metrics;
  const found = new Map<string, HostPort>();
  if (port !== undefined) found.set('mesher.metrics.port', { host, port });
  if (pprof.enable) found.set('pprof.listen', pprof.listen);
  return found;
}

/** The ports on which this process itself listens: neither calls nor health checks of the application may go there. */
export function ownPorts(plan: ListenPlan, document: MeshDocument): ReadonlySet<number> {
  const listeners = document.mesher.listeners.map(({ listen }) => listen);
  const all = [...plan.outbound, ...plan.inbound, plan.admin, ...listeners, ...telemetryAddresses(document).values()];
  return new Set(all.filter((address) => address !== undefined).map(({ port }) => port));
}
