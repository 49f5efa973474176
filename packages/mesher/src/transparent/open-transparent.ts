import type { TransparentSources } from '@mesher/admin';
import { isMeshError, type Chassis, type Logger, type MeshDocument, type Ports } from '@mesher/core';
import type {
  Listener,
  ListenerSpec,
  OriginalDestination,
  ProxyServer,
  TransparentRoute,
  TransparentSpec,
} from '@mesher/proxy';
import type { Server, Socket } from 'node:net';
import { whoRuns } from './exempt-user.js';
import type { HttpSettings } from './http-settings.js';
import { OwnNetwork } from './own-network.js';
import { Passages } from './passages.js';
import { refuseDirect } from './refusing.js';
import type { TransparentDecider } from './transparent-explanation.js';
import { transparentSchema, type TransparentOptions } from './transparent-schema.js';
import { TransparentRoutes } from './transparent-routes.js';
import { transparentSources } from './transparent-view.js';
import { TransparentWatcher } from './watching/transparent-watcher.js';

/** How the kernel is asked where connections were going. */
export interface Interceptor {
  find(socket: Socket, isOwnListener: (address: string, port: number) => boolean): OriginalDestination;
  prepare?(server: Server): void;
  /** Connects from the address of a client. */
  readonly keptSource?: TransparentRoute['connect'] | undefined;
}

export interface TransparentParts {
  readonly document: MeshDocument;
  readonly chassis: Chassis;
  readonly proxy: ProxyServer;
  readonly ports: Ports;
  readonly logger: Logger;
  /** Ports on which this process listens. */
  readonly isOwnPort: (port: number) => boolean;
  /** Replaceable for tests; that of @mesher/intercept when left out. */
  readonly interceptor?: Interceptor;
}

/** The listener of the transparent mode. */
export interface TransparentListener {
  readonly listener: Listener;
  /** For the admin API. */
  readonly sources: TransparentSources;
  close(): void;
}

/**
 * Opens the transparent listener.
 * @throws InterceptError INTERCEPT_NO_KOFFI, INTERCEPT_NOT_LINUX, INTERCEPT_NOT_PERMITTED
 * @throws MeshError MESH_ERR_LISTEN
 */
export async function openTransparent(parts: TransparentParts): Promise<TransparentListener> {
  const { chassis, document, logger, proxy } = parts;
  const options = document.section('transparent', transparentSchema);
  const interceptor = parts.interceptor ?? (await loadInterceptor(options));
  const network = new OwnNetwork(parts.ports, options.port);
  const passages = new Passages({
    maxDestinations: options.maxDestinations,
    own: document.service.name,
    metrics: document.mesher.metrics.enable ? chassis.metrics : undefined,
    observation: chassis.observation,
    onForgotten: (endpoint) => proxy.retire(endpoint),
  });
  const settings = await loadHttpSettings(parts, options, passages);
  const routes = new TransparentRoutes(
    chassis,
    passages,
    options,
    document.service.name,
    parts.isOwnPort,
    interceptor.keptSource,
    settings,
  );
  const isOwnListener = (address: string, port: number): boolean => port === options.port && network.has(address);
  const watcher = new TransparentWatcher({ ...options, clock: parts.ports.clock });
  const transparent: TransparentSpec = {
    find: (socket) =>
      interceptor.find(socket, (address, port) => port === options.port && network.has(address, socket)),
    isOwnAddress: (address, socket) => network.has(address, socket),
    route: (direction, original) => routes.route(direction, original),
    // Some 700 ns per connection.
    watcher: options.recentConnections === 0 ? undefined : watcher,
    opaquePorts: new Set(options.opaquePorts),
    httpPorts: new Set(options.httpPorts),
    ...(interceptor.prepare === undefined ? {} : { prepare: (server) => interceptor.prepare?.(server) }),
  };
  const close = (): void => {
    network.close();
    settings?.close();
  };
  const spec = { port: options.port, handler: refuseDirect(options.port), sources: chassis.sources, transparent };
  try {
    const listener = await listenOnBothFamilies(proxy, spec, options.host, logger);
    const decider: TransparentDecider = {
      ...transparent,
      isOwnListener,
      route: (direction, original, why) => routes.route(direction, original, why),
      whoRuns: whoRuns(options),
    };
    const sources = transparentSources({ options, watcher, decider, directory: chassis.directory }, listener);
    return { listener, sources, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Loaded only where there is something to be done to requests. */
async function loadHttpSettings(
  { chassis, logger, ports }: TransparentParts,
  { policy, routing, source }: TransparentOptions,
  passages: Passages,
): Promise<HttpSettings | undefined> {
  if (!source.enabled && !routing.enabled) return undefined;
  const { HttpSettings: Settings } = await import('./http-settings.js');
  return new Settings({
    source,
    routing,
    isMesh: policy === 'mesh',
    known: chassis,
    outbound: chassis.outbound,
    observation: chassis.observation,
    through: (endpoint) => passages.through(endpoint),
    metrics: chassis.policyMetrics,
    ports,
    logger,
  });
}

/** Without IPv6 in the kernel `::` cannot be had, and nothing will come over IPv6 either. */
async function listenOnBothFamilies(
  proxy: ProxyServer,
  spec: Omit<ListenerSpec, 'host'>,
  host: string,
  logger: Logger,
): Promise<Listener> {
  try {
    return await proxy.listen({ ...spec, host });
  } catch (error) {
    const { code } = (isMeshError(error) ? (error.cause ?? {}) : {}) as NodeJS.ErrnoException;
    if (host !== '::' || (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL')) throw error;
    logger.info({}, 'there is no IPv6 here: the transparent listener takes IPv4 alone');
    return await proxy.listen({ ...spec, host: '0.0.0.0' });
  }
}

/** Loaded here, since koffi costs some 20 ms and MB that other modes need not pay. */
async function loadInterceptor({ interception, keepSource, port }: TransparentOptions): Promise<Interceptor> {
  const { KeptSource, OriginalDestinations, transparentDestination } =
    await import('@mesher/intercept/original-destination');
  const destinations = OriginalDestinations.load();
  if (interception === 'redirect') return { find: (socket, isOwn) => destinations.of(socket, isOwn) };
  const kept = keepSource ? KeptSource.load() : undefined;
  return {
    // Outbound connections come by REDIRECT, and have the port of the listener as their local port.
    find: (socket, isOwn) =>
      socket.localPort === port ? destinations.of(socket, isOwn) : transparentDestination(socket, isOwn),
    prepare: (server) => destinations.makeTransparent(server),
    keptSource:
      kept === undefined
        ? undefined
        : ({ remoteAddress = '' }, { host, port: to }) =>
            kept.connect(remoteAddress.replace(/^::ffff:/, ''), { address: host, port: to }, { allowHalfOpen: true }),
  };
}
