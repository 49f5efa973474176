import type {
  AdminSources,
  EndpointView,
  HealthInfo,
  InstanceView,
  JsonValue,
  PoolView,
  PoolsView,
  Readiness,
  ServicesView,
  ServiceView,
  TransparentSources,
} from '@mesher/admin';
import {
  MetricsPage,
  endpointState,
  formatHostPort,
  readExplainRequest,
  protocolOfAddress,
  whyLeftOut,
  type CallProtocol,
  type Chassis,
  type Endpoint,
  type EndpointState,
  type Instance,
  type MetricsText,
  type Ports,
} from '@mesher/core';
import type { ProxyServer } from '@mesher/proxy';
import { mesherVersion } from '../version.js';
import type { ApplicationHealth } from './application-health.js';
import { sidecarFamilies } from './sidecar-families.js';

/** What the admin API asks a running sidecar for. */
export interface SidecarView {
  readonly chassis: Chassis;
  readonly proxy: ProxyServer;
  readonly ports: Ports;
  /** What is in effect, where it comes from, and what was refused. */
  configuration(): JsonValue;
  readiness(): Readiness;
  /** What the local health checks say; left out where nobody checks. */
  readonly health?: Pick<ApplicationHealth, 'view' | 'stats' | 'problems'>;
  /** Left out where there is no transparent mode. */
  transparent?(): TransparentSources | undefined;
  drain(): void;
}

/**
 * Shows a sidecar to the admin API.
 * @param page of metrics; one of its own when left out
 */
export function adminSources(view: SidecarView, page = new MetricsPage(sidecarFamilies(view))): AdminSources {
  const { chassis, proxy, ports } = view;
  const version = mesherVersion();
  return {
    live: () => ({ ready: true, reasons: [] }),
    ready: () => view.readiness(),
    metrics: (): Promise<MetricsText> => page.render(),
    version: () => ({ version, node: process.version }),
    health: () => healthInfo(view),
    config: () => view.configuration(),
    services: () => servicesView(chassis, ports),
    pools: () => poolsView(proxy),
    explain: (request) => chassis.explain(readExplainRequest(request)),
    transparent: () => view.transparent?.(),
    drain: () => view.drain(),
  };
}

/** Red is who cannot take calls because of its application; a start or a drain is the matter of `/ready`. */
function healthInfo({ chassis, health }: SidecarView): HealthInfo {
  const { name, version } = chassis.document.service;
  const local = health?.view;
  const isDown = local?.state === 'down';
  return {
    serviceName: name,
    version,
    status: isDown ? 'red' : 'green',
    ...(isDown ? { error: health?.problems.join('; ') ?? '' } : {}),
    ...(local === undefined
      ? {}
      : {
          checks: local.checks.map(({ name: check, state, detail, lastAt }) => ({
            check,
            state,
            detail,
            ...(lastAt === undefined ? {} : { at: new Date(lastAt).toISOString() }),
          })),
        }),
  };
}

function servicesView(chassis: Chassis, ports: Ports): ServicesView {
  const state = chassis.registry.discovery.state();
  const age = (at: number | undefined): { ageSeconds?: number } =>
    at === undefined ? {} : { ageSeconds: Math.max(0, Math.round((ports.clock.wallTime() - at) / 100) / 10) };
  const plans = new Map(chassis.directory.plans.map((plan) => [plan.service, plan]));
  const names = new Set([...plans.keys(), ...chassis.directory.listed.map((instance) => instance.service)]);
  const services: ServiceView[] = [...names].sort().map((service) => {
    const plan = plans.get(service);
    const instances =
      plan?.snapshot?.instances ?? chassis.directory.listed.filter((instance) => instance.service === service);
    return {
      service,
      exists: plan === undefined || plan.state === 'known',
      freshness: plan?.state === 'pending' ? 'never' : state.freshness,
      ...age(state.lastSuccessAt),
      ...(plan?.snapshot === undefined ? {} : { revision: plan.snapshot.revision }),
      instances: instances.map((instance) => instanceView(instance, chassis, ports)),
    };
  });
  return {
    registries: [
      {
        name: chassis.registry.discovery.name,
        freshness: state.freshness,
        ...age(state.lastSuccessAt),
        ...(state.lastError === undefined ? {} : { lastError: state.lastError }),
        problems: state.problems,
        ...(state.counts === undefined ? {} : { events: state.counts }),
      },
    ],
    services,
  };
}

function poolsView(proxy: ProxyServer): PoolsView {
  const http1 = [...proxy.pools].map(({ endpoint, open, idle, waiting }) =>
    poolView(endpoint, { protocol: 'http1', connections: open, idle, draining: 0, calls: open - idle, waiting }),
  );
  const http2 = [...proxy.streamPools].map((pool) => {
    const { endpoint, connections, draining, streams, waiting } = pool;
    const idle = [...pool.all].filter(({ openStreams }) => openStreams === 0).length;
    return poolView(endpoint, { protocol: 'http2', connections, idle, draining, calls: streams, waiting });
  });
  return { pools: [...http1, ...http2].sort((a, b) => (a.address < b.address ? -1 : 1)) };
}

function poolView(endpoint: Endpoint, numbers: Omit<PoolView, 'address' | 'service'>): PoolView {
  const service = endpoint.instance?.service;
  return { address: endpoint.key, ...(service === undefined ? {} : { service }), ...numbers };
}

function instanceView(instance: Instance, chassis: Chassis, ports: Ports): InstanceView {
  return {
    instanceId: instance.instanceId,
    app: instance.app,
    version: instance.version,
    status: instance.status,
    metadata: instance.metadata,
    endpoints: [...instance.addresses].map(([protocol, { host, port }]): EndpointView => {
      const reason = whyUnavailable(instance, protocolOfAddress(protocol), host, port, chassis, ports);
      return {
        address: formatHostPort({ host, port }),
        protocol,
        weight: instance.weight,
        available: reason === undefined,
        ...(reason === undefined ? {} : { reason }),
      };
    }),
  };
}

/** Nothing for a rest that is over: the next call finds out how the endpoint is. */
const WHY_PASSED_OVER: Readonly<Record<EndpointState, string | undefined>> = {
  fit: undefined,
  resting: undefined,
  ejected: 'it is ejected because of its answers',
  breaker: 'its circuit breaker is open',
};

/** @param protocol of the calls for which the address is listed */
function whyUnavailable(
  instance: Instance,
  protocol: CallProtocol,
  host: string,
  port: number,
  chassis: Chassis,
  ports: Ports,
): string | undefined {
  const leftOut = whyLeftOut(instance, protocol);
  if (leftOut === 'status') return `the instance is ${instance.status}`;
  if (leftOut === 'weight') return 'its weight is 0';
  if (leftOut === 'tls') return 'its only address needs TLS, which this version does not speak';
  if (leftOut === 'protocol') return `it has no address for ${protocol === 'grpc' ? 'gRPC' : 'HTTP'}`;
  const plan = chassis.directory.plans.find(({ service }) => service === instance.service);
  if (plan === undefined || plan.state !== 'known') return undefined;
  const endpoint = plan
    .candidates(protocol)
    .endpoints.find((candidate) => candidate.host === host && candidate.port === port);
  const left = endpoint === undefined ? 0 : endpoint.restingUntil - ports.clock.now();
  if (left > 0) return `rests for ${Math.ceil(left)} ms after ${endpoint?.connectFailures} failed connects`;
  return endpoint === undefined ? undefined : WHY_PASSED_OVER[endpointState(endpoint)];
}
