import { silentLogger, systemPorts, type Endpoint, type Http2Numbers, type Logger, type Ports } from '@mesher/core';
import { Deadlines } from './deadlines.js';
import { Environment } from './environment.js';
import { Listener, type ListenerSpec } from './listener.js';
import { DEFAULT_PROXY_OPTIONS, type ProxyOptions } from './options.js';
import { ProxyStats } from './stats.js';
import { RelaySockets } from './tcp/relay-socket.js';
import { EndpointPools } from './upstream/endpoint-pools.js';
import { StreamPools } from './http2/upstream/stream-pools.js';

export interface ProxyDependencies {
  readonly ports?: Ports;
  readonly logger?: Logger;
  /** Told about every connection that was made, so that a resting endpoint is taken back. */
  readonly onConnected?: (endpoint: Endpoint) => void;
}

/** The proxy core: listeners in front, pools behind, and between them the wires that ask a {@link CallHandler} for decisions. */
export class ProxyServer {
  readonly stats: ProxyStats = new ProxyStats();
  readonly #env: Environment;
  readonly #options: { -readonly [K in keyof ProxyOptions]: ProxyOptions[K] };
  readonly #deadlines: Deadlines;
  readonly #listeners = new Set<Listener>();
  readonly #relaySockets: RelaySockets;

  constructor(dependencies: ProxyDependencies = {}, options: Partial<ProxyOptions> = {}) {
    const ports = dependencies.ports ?? systemPorts();
    this.#options = { ...DEFAULT_PROXY_OPTIONS, ...options };
    this.#deadlines = new Deadlines(ports.clock, ports.timers);
    this.#env = new Environment(
      this.#options,
      this.#deadlines,
      this.stats,
      dependencies.logger ?? silentLogger(),
      ports.random,
      () => ports.clock.now(),
    );
    this.#relaySockets = new RelaySockets(this.stats, this.#env.ownDials, this.#env.readBuffers);
    const onConnected = dependencies.onConnected ?? ((): void => undefined);
    this.#env.pools = new EndpointPools(this.#env, onConnected);
    this.#env.streamPools = new StreamPools(this.#env, onConnected);
  }

  /**
   * Opens a listener.
   * @throws MeshError MESH_ERR_LISTEN when the address cannot be had
   */
  async listen(spec: ListenerSpec): Promise<Listener> {
    const listener = new Listener(spec, this.#env, this.#relaySockets);
    await listener.listen();
    this.#listeners.add(listener);
    return listener;
  }

  /**
   * Other limits and timeouts from now on: they count at the next time that each is looked at, so a wait that has begun keeps its
   * length. `maxHeaderFields` and `forwarding` are laid out once and stay.
   */
  reconfigure(options: ProxyOptions): void {
    const { maxHeaderFields, forwarding } = this.#options;
    Object.assign(this.#options, options, { maxHeaderFields, forwarding });
  }

  /** Pools with their numbers, for the admin API. */
  get pools(): EndpointPools {
    return this.#env.pools;
  }

  /** The same for HTTP/2. */
  get streamPools(): StreamPools {
    return this.#env.streamPools;
  }

  /** What the connections of HTTP/2 are doing at present; it costs time with many of them, and is meant for scrapes. */
  get http2(): Http2Numbers {
    const { http2ResetsReceived, http2ResetsSent, http2Upstream, http2Violations } = this.stats;
    const loads = [...this.#listeners].map(({ http2 }) => http2);
    return {
      downstream: {
        open: loads.reduce((sum, { open }) => sum + open, 0),
        streams: loads.reduce((sum, { streams }) => sum + streams, 0),
      },
      upstream: http2Upstream,
      resetsReceived: http2ResetsReceived,
      resetsSent: http2ResetsSent,
      bufferedBytes: this.#env.http2Buffered.bytes,
      violations: http2Violations,
    };
  }

  /** Connections of an endpoint that left the registry are closed once they are idle. */
  retire(endpoint: Endpoint): void {
    this.#env.pools.retire(endpoint);
    this.#env.streamPools.retire(endpoint);
  }

  /** Ends everything at once. */
  close(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
    this.#env.pools.closeAll();
    this.#env.streamPools.closeAll();
    this.#deadlines.close();
  }
}
