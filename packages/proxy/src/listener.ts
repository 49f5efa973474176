import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { MeshError, type CallHandler, type Destination, type SourceResolver } from '@mesher/core';
import { Deadline } from './deadlines.js';
import type { Environment } from './environment.js';
import { Http2ServerConnection } from './http2/server/http2-server-connection.js';
import { Reception, type OpenConnection, type ReceptionHost } from './reception.js';
import { HIGH_WATER_MARK } from './socket-owner.js';
import type { DialledSockets } from './tcp/relay-socket.js';
import { InterceptedConnections } from './transparent/intercepted-connections.js';
import type { TransparentSpec } from './transparent/transparent-spec.js';

/** Connections that wait to be accepted while the event loop is busy; the kernel caps it at net.core.somaxconn. */
const BACKLOG = 4096;

export interface ListenerSpec {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly handler: CallHandler;
  readonly sources?: readonly SourceResolver[];
  /** Everything that arrives here is for this destination: the listener dials at once and does not wait for the client to speak. */
  readonly destination?: Destination;
  /** With a destination: connections are passed on as bytes without a look at what they say, which is the cheapest. */
  readonly opaque?: boolean;
  /** The address is for gRPC: who asks for a tunnel (CONNECT) will speak HTTP/2 in it, and gets it before anything is decided. */
  readonly isForGrpc?: boolean;
  /** Connections come here by rules of interception, each with a destination of its own; `handler` answers those that do not. */
  readonly transparent?: TransparentSpec;
}

/** One listening socket and the connections that came through it. */
export class Listener implements ReceptionHost {
  readonly sources: readonly SourceResolver[];
  draining = false;
  readonly #reception: Reception;
  readonly #intercepted: InterceptedConnections | undefined;
  readonly #server: Server;
  readonly #open = new Set<OpenConnection>();
  #drained: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(
    private readonly spec: ListenerSpec,
    readonly env: Environment,
    readonly sockets: DialledSockets,
  ) {
    this.sources = spec.sources ?? [];
    this.#reception = new Reception(this, spec);
    this.#intercepted =
      spec.transparent === undefined ? undefined : new InterceptedConnections(this, spec.transparent, spec);
    this.#server = createServer({ noDelay: true, allowHalfOpen: true, highWaterMark: HIGH_WATER_MARK }, (socket) =>
      this.#accept(socket),
    );
  }

  /** The port in use, once listening. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get host(): string {
    return this.spec.host;
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /** HTTP/2 connections of clients that are open, and their streams, which are calls. */
  get http2(): { readonly open: number; readonly streams: number } {
    let open = 0;
    let streams = 0;
    for (const connection of this.#open) {
      if (!(connection instanceof Http2ServerConnection)) continue;
      open++;
      streams += connection.openStreams;
    }
    return { open, streams };
  }

  /** @throws MeshError MESH_ERR_LISTEN when the address cannot be had */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void => {
        reject(
          new MeshError('MESH_ERR_LISTEN', `cannot listen on ${this.spec.host}:${this.spec.port}: ${explain(error)}`, {
            cause: error,
          }),
        );
      };
      this.#server.once('error', fail);
      this.#server.listen({ host: this.spec.host, port: this.spec.port, backlog: BACKLOG, exclusive: true }, () => {
        this.#server.off('error', fail);
        this.#server.on('error', (error) => this.env.logger.error({ error }, 'listener failed'));
        try {
          this.spec.transparent?.prepare?.(this.#server);
          resolve();
        } catch (error) {
          this.#server.close();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }

  /**
   * Of a transparent listener: takes nothing more from other machines, and resolves when what they had begun has ended. Connections of
   * local programs go on, since the application may need them to finish its work. There is nothing to do for another listener.
   */
  async drainInbound(): Promise<void> {
    await this.#intercepted?.drainInbound();
  }

  /**
   * Accepts nothing more and closes what is idle; resolves when the last connection has ended. A transparent listener ends inbound
   * connections first, and then takes outbound ones until there are none, and no new one for `drainGrace`.
   */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  close(): void {
    this.draining = true;
    this.#server.close();
    for (const connection of [...this.#open]) connection.destroy();
  }

  opened(connection: OpenConnection): void {
    this.#open.add(connection);
  }

  closed(connection: OpenConnection): void {
    if (!this.#open.delete(connection)) return;
    this.env.stats.connectionsOpen--;
    if (this.#open.size === 0) this.#onEmpty?.();
  }

  async #drain(): Promise<void> {
    const intercepted = this.#intercepted;
    if (intercepted === undefined) this.#server.close();
    else await intercepted.drainInbound();
    this.draining = true;
    for (const connection of [...this.#open]) connection.drain?.();
    await this.#emptied();
    if (intercepted === undefined) return;
    await this.#untilQuiet(intercepted);
    this.#server.close();
  }

  async #emptied(): Promise<void> {
    // A connection that is handed on is closed and opened in one turn.
    while (this.#open.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  async #untilQuiet(intercepted: InterceptedConnections): Promise<void> {
    const { deadlines, options } = this.env;
    let begun: number;
    do {
      begun = intercepted.outboundBegun;
      await new Promise<void>((resolve) => deadlines.arm(new Alarm(resolve), options.drainGrace));
      await this.#emptied();
    } while (intercepted.outboundBegun !== begun);
  }

  #accept(socket: Socket): void {
    const { stats, options } = this.env;
    stats.connectionsAccepted++;
    if (stats.connectionsOpen >= options.maxDownstreamConnections) {
      stats.connectionsRefused++;
      socket.destroy();
      return;
    }
    stats.connectionsOpen++;
    const { spec } = this;
    const reception = this.#reception;
    if (this.#intercepted !== undefined) this.#intercepted.accept(socket);
    else if (spec.destination === undefined) reception.awaitFirstBytes(socket);
    // A listener with a fixed destination still gives HTTP requests their policies.
    else reception.relayFresh(socket, spec.opaque === true ? undefined : (first) => reception.takeHttp(socket, first));
  }
}

/** Rings once. */
class Alarm extends Deadline {
  constructor(readonly onDeadline: () => void) {
    super();
  }
}

function explain(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE')
    return 'the port is in use by another process; choose another in servicecomb.protocols';
  if (error.code === 'EACCES') return 'ports below 1024 need the capability CAP_NET_BIND_SERVICE';
  if (error.code === 'EADDRNOTAVAIL') return 'no network interface of this machine has that address';
  return error.message;
}
