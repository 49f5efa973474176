import { createServer, type Server, type Socket } from 'node:net';
import { FaultyConnection } from './faulty-connection.js';
import type { FaultMode } from './faults.js';

/**
 * Ports of these proxies: below the range from which systems take source ports. Somebody else could take such a port while nobody
 * listens, and a client that connects to a port of that range may get a connection with itself.
 */
const FIRST_PORT = 19_000;
const LAST_PORT = 29_999;

export interface FaultProxyTarget {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
}

export interface FaultCounts {
  readonly accepted: number;
  readonly open: number;
  /** Connections on which a fault did something: reset, cut off, spoiled, half-closed. */
  readonly faults: number;
  /** Bytes that were passed on. */
  readonly toServer: number;
  readonly toClient: number;
}

/**
 * A TCP proxy between a client and its server that makes the trouble which networks and servers make, for tests. The fault may be
 * changed at any time, and is that of open connections too. Real sockets on 127.0.0.1.
 *
 * ```ts
 * const proxy = await FaultProxy.start({ port: server.port });
 * await proxy.set(FAULT_MODES['black hole']);
 * await proxy.heal();
 * ```
 */
export class FaultProxy {
  /** Where new connections go; a server that was started again may listen elsewhere. */
  target: FaultProxyTarget;
  readonly #connections = new Set<FaultyConnection>();
  readonly #waiting = new Set<() => void>();
  readonly #counts = { accepted: 0, faults: 0, toServer: 0, toClient: 0 };
  #mode: FaultMode = {};
  #server: Server | undefined;
  #port = 0;

  private constructor(target: FaultProxyTarget) {
    this.target = target;
  }

  /** @throws Error when no port is free */
  static async start(target: FaultProxyTarget, mode: FaultMode = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    for (let tries = LAST_PORT - FIRST_PORT; ; tries--) {
      try {
        await proxy.#listen();
        break;
      } catch (error) {
        if (tries === 0) throw error;
        proxy.#port = proxy.#port === LAST_PORT ? FIRST_PORT : proxy.#port + 1;
      }
    }
    await proxy.set(mode);
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** `http://127.0.0.1:port` */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get counts(): FaultCounts {
    return { ...this.#counts, open: this.#connections.size };
  }

  /** From now on; resolves when the proxy listens, or does not any more. */
  async set(mode: FaultMode): Promise<void> {
    this.#mode = mode;
    if (mode === 'refuse') {
      this.#server?.close();
      this.#server = undefined;
      return;
    }
    for (const connection of [...this.#connections]) this.#apply(connection);
    if (this.#server === undefined) await this.#listen();
  }

  /** No fault any more. */
  async heal(): Promise<void> {
    await this.set({});
  }

  /** As a process that is killed: nobody listens, and every connection is reset. */
  async kill(): Promise<void> {
    await this.set('refuse');
    this.cut('reset');
  }

  /** Ends the open connections; new ones may come. */
  cut(how: 'close' | 'reset'): void {
    for (const connection of [...this.#connections]) connection.cut(how);
  }

  /** Resolves once that holds; looked at whenever a count changes. */
  async until(holds: (counts: FaultCounts) => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!holds(this.counts)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    await this.kill();
    await this.until(({ open }) => open === 0);
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: this.#port, host: '127.0.0.1', exclusive: true }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.#server = server;
  }

  #accept(client: Socket): void {
    const connection = new FaultyConnection(++this.#counts.accepted, client, () => this.#address(), {
      onBytes: (to, count) => {
        this.#counts[to === 'server' ? 'toServer' : 'toClient'] += count;
        this.#changed();
      },
      onFault: () => {
        this.#counts.faults++;
        this.#changed();
      },
      onClose: (closed) => {
        this.#connections.delete(closed);
        this.#changed();
      },
    });
    this.#connections.add(connection);
    this.#apply(connection);
    this.#changed();
  }

  #apply(connection: FaultyConnection): void {
    const mode = this.#mode;
    if (mode !== 'refuse') connection.faults = typeof mode === 'function' ? mode(connection) : mode;
  }

  #address(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', ...this.target };
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }
}
