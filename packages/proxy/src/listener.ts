import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { MeshError, type CallHandler, type Destination, type SourceResolver } from '@mesher/core';
import { detectProtocol, type DetectedProtocol } from './detect.js';
import type { Environment } from './environment.js';
import { FirstBytesReader } from './first-bytes-reader.js';
import type { H2cUpgrade } from './http1/h2c-upgrade.js';
import { ServerConnection, type ServerContext } from './http1/server-connection.js';
import { plainAddress } from './http1/server-fields.js';
import { CallAcceptor } from './http2/exchange/call-acceptor.js';
import { Http2ServerConnection } from './http2/server/http2-server-connection.js';
import { HIGH_WATER_MARK, changeOwner, own } from './socket-owner.js';
import { Relay } from './tcp/relay.js';
import type { RelayContext } from './tcp/relay-call.js';
import type { RelaySockets } from './tcp/relay-socket.js';
import { TcpCall } from './tcp/tcp-call.js';

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
}

/** What a listener does to the connections that came through it. */
export interface OpenConnection {
  /** Ends soon: at once when idle, else after what is under way. Left out by those that only their peers can end. */
  drain?(): void;
  /** Ends at once. */
  destroy(): void;
}

/** What a connection speaks that is served and not relayed. */
type HttpProtocol = Extract<DetectedProtocol, 'http1' | 'http2'>;

/** One listening socket and the connections that came through it. */
export class Listener implements ServerContext, RelayContext {
  readonly handler: CallHandler;
  readonly sources: readonly SourceResolver[];
  readonly destination: Destination | undefined;
  readonly isForGrpc: boolean;
  draining = false;
  readonly #server: Server;
  readonly #open = new Set<OpenConnection>();
  #drained: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(
    private readonly spec: ListenerSpec,
    readonly env: Environment,
    readonly sockets: RelaySockets,
  ) {
    this.handler = spec.handler;
    this.sources = spec.sources ?? [];
    this.destination = spec.destination;
    this.isForGrpc = spec.isForGrpc ?? false;
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
        resolve();
      });
    });
  }

  /** Accepts nothing more and closes what is idle; resolves when the last connection has ended. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  close(): void {
    this.draining = true;
    this.#server.close();
    for (const connection of [...this.#open]) connection.destroy();
  }

  /** Called by a connection that has ended, or has handed its socket to another one. */
  closed(connection: OpenConnection): void {
    if (!this.#open.delete(connection)) return;
    this.env.stats.connectionsOpen--;
    if (this.#open.size === 0) this.#onEmpty?.();
  }

  #drain(): Promise<void> {
    this.draining = true;
    this.#server.close();
    for (const connection of [...this.#open]) connection.drain?.();
    return this.#open.size === 0 ? Promise.resolve() : new Promise((resolve) => (this.#onEmpty = resolve));
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
    if (this.destination !== undefined) this.#relay(socket, undefined, 'tcp', true);
    else {
      const first = new FirstBytesReader(
        socket,
        this.env,
        (bytes) => this.#route(socket, bytes),
        (reader) => this.closed(reader),
      );
      this.#open.add(first);
      own(socket, first, true);
    }
  }

  /**
   * The first bytes are there: hands the connection to the protocol they belong to. What may still become a request is treated as
   * one even if its client takes too long; otherwise waiting would be a way around all that looks at requests.
   */
  #route(socket: Socket, bytes: Buffer): void {
    this.env.stats.connectionsOpen++;
    const protocol = detectProtocol(bytes) ?? 'http1';
    if (protocol === 'http1' || protocol === 'http2') this.#serve(socket, protocol, bytes);
    else this.#relay(socket, bytes, protocol, false);
  }

  /**
   * Serves a connection whose protocol is known, whoever has found it out: the first bytes do so here, and ALPN will where a listener
   * ends TLS (RFC 9113, 3.2).
   * @param bytes what has been read of it
   */
  #serve(socket: Socket, protocol: HttpProtocol, bytes: Buffer): void {
    if (protocol === 'http1') this.#serveHttp1(socket, bytes);
    else this.#serveHttp2(socket, bytes);
  }

  #serveHttp1(socket: Socket, bytes: Buffer): void {
    this.env.stats.detectedHttp1++;
    const connection = new ServerConnection(socket, this, this.env);
    this.#open.add(connection);
    changeOwner(socket, connection);
    connection.onData(bytes);
  }

  #serveHttp2(socket: Socket, bytes: Buffer): void {
    const connection = this.#openHttp2(socket);
    // A connection that begins while we drain may have its first calls on their way already.
    if (this.draining) connection.drain();
    connection.onData(bytes);
  }

  /** Called by a connection of HTTP/1 whose client has asked for HTTP/2, or speaks it in a tunnel. */
  switchToHttp2(socket: Socket, upgrade: H2cUpgrade | undefined, early: Buffer): void {
    this.env.stats.connectionsOpen++;
    const connection = this.#openHttp2(socket);
    if (this.draining) connection.drain();
    if (upgrade !== undefined) connection.adoptUpgrade(upgrade.head, upgrade.settings);
    if (early.length > 0) connection.onData(early);
  }

  #openHttp2(socket: Socket): Http2ServerConnection {
    this.env.stats.detectedHttp2++;
    const acceptor = new CallAcceptor(this, plainAddress(socket.remoteAddress), this.env);
    const connection = new Http2ServerConnection(socket, acceptor, this, this.env);
    this.#open.add(connection);
    changeOwner(socket, connection);
    return connection;
  }

  #relay(socket: Socket, bytes: Buffer | undefined, protocol: DetectedProtocol, fresh: boolean): void {
    const { stats } = this.env;
    const detect = fresh && this.spec.opaque !== true;
    if (!detect) {
      if (protocol === 'http2') stats.detectedHttp2++;
      else if (protocol === 'tls') stats.detectedTls++;
      else stats.detectedTcp++;
    }
    const call = new TcpCall(
      this.handler.direction,
      protocol === 'http2' ? 'grpc' : 'tcp',
      plainAddress(socket.remoteAddress),
      this.destination,
      this.sources,
    );
    const firstBytes = detect ? (first: Buffer) => this.#takeHttp(socket, first) : undefined;
    const relay = new Relay(socket, call, this, firstBytes, fresh && !detect);
    this.#open.add(relay);
    if (fresh) own(socket, relay, detect);
    else changeOwner(socket, relay);
    relay.start(bytes);
  }

  /** A listener with a fixed destination still gives HTTP requests their policies. */
  #takeHttp(socket: Socket, first: Buffer): 'taken' | 'passed' | 'unclear' {
    const protocol = detectProtocol(first);
    if (protocol === undefined) return 'unclear';
    if (protocol !== 'http1' && protocol !== 'http2') return 'passed';
    this.env.stats.connectionsOpen++;
    socket.resume();
    this.#serve(socket, protocol, first);
    return 'taken';
  }
}

function explain(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE')
    return 'the port is in use by another process; choose another in servicecomb.protocols';
  if (error.code === 'EACCES') return 'ports below 1024 need the capability CAP_NET_BIND_SERVICE';
  if (error.code === 'EADDRNOTAVAIL') return 'no network interface of this machine has that address';
  return error.message;
}
