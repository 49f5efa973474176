import { isLoopback, type AdminAddress, type BoundedServer } from '@mesher/admin';
import { isMeshError, type Chassis, type Logger, type MetricFamily, type MetricsPage, type Ports } from '@mesher/core';
import { statsdSchema } from '@mesher/statsd/schema';
import type { StatsdSender } from '@mesher/statsd';
import { makeMetricsPort } from './metrics-port.js';
import { ProfilesPort } from './profiles-port.js';

export interface TelemetryParts {
  readonly chassis: Chassis;
  readonly families: readonly MetricFamily[];
  readonly page: MetricsPage;
  readonly ports: Ports;
  readonly logger: Logger;
  /** Called before anything is opened; throws when the start has been given up. */
  readonly goOn: () => void;
}

/** Ways out for numbers and profiles besides the admin port. Each is there only when the configuration asks for it, and loads nothing else. */
export class TelemetryOutlets {
  #metrics: BoundedServer | undefined;
  #profiles: ProfilesPort | undefined;
  #statsd: StatsdSender | undefined;
  #metricsAddress: AdminAddress | undefined;
  #profilesAddress: AdminAddress | undefined;

  /** Where the metrics port is; undefined when there is none. */
  get metricsAddress(): AdminAddress | undefined {
    return this.#metricsAddress;
  }

  /** Where profiles are taken; undefined when they are not. */
  get profilesAddress(): AdminAddress | undefined {
    return this.#profilesAddress;
  }

  /** @throws MeshError MESH_ERR_ADMIN_LISTEN for a port that cannot be had */
  async open({ chassis, families, page, ports, logger, goOn }: TelemetryParts): Promise<void> {
    const { document } = chassis;
    const { enable, host, port } = document.mesher.metrics;
    if (port !== undefined) {
      goOn();
      const make = (at: string): BoundedServer =>
        makeMetricsPort({ host: at, port, page, timers: ports.timers, logger });
      this.#metrics = make(host);
      this.#metricsAddress = await this.#metrics.listen().catch((error: unknown) => {
        if (host !== '::' || !isWithoutIpv6(error)) throw error;
        this.#metrics = make('0.0.0.0');
        return this.#metrics.listen();
      });
    }
    if (document.pprof.enable) {
      goOn();
      this.#profiles = new ProfilesPort(document.pprof, ports, logger);
      this.#profilesAddress = await this.#profiles.server.listen();
      if (!isLoopback(document.pprof.listen.host)) {
        logger.warn(
          { address: this.#profilesAddress.url },
          'profiles are taken for everybody who reaches this address',
        );
      }
    }
    const statsd = document.section('mesher.statsd', statsdSchema);
    if (!statsd.enabled) return;
    if (!enable) logger.warn({}, 'mesher.metrics.enable is false: calls are not counted, so StatsD is told of none');
    // Without tracing, nobody else looks at the requests of intercepted connections.
    chassis.observation.want();
    const { StatsdSender: Sender } = await import('@mesher/statsd');
    goOn();
    const datagrams = chassis.policyMetrics.counter('statsdDatagrams');
    const count = (result: 'sent' | 'failed'): void => datagrams.add([result]);
    this.#statsd = new Sender(statsd, { families, ports, logger, count });
    this.#statsd.start();
  }

  /** To be called when no more calls are counted: the rest is sent. Takes half a second at most. */
  async close(): Promise<void> {
    await Promise.all([this.#statsd?.close(), this.#profiles?.close(), this.#metrics?.close()]);
  }
}

/** Without IPv6 in the kernel `::` cannot be had, and nobody will ask over IPv6 either. */
function isWithoutIpv6(error: unknown): boolean {
  const { code } = (isMeshError(error) ? (error.cause ?? {}) : {}) as NodeJS.ErrnoException;
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
}
