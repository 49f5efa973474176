import type { Socket } from 'node:net';
import type { CallHandler, Destination, SourceResolver } from '@mesher/core';
import { detectProtocol, type DetectedProtocol } from './detect.js';
import type { Environment } from './environment.js';
import { FirstBytesReader } from './first-bytes-reader.js';
import type { H2cUpgrade } from './http1/h2c-upgrade.js';
import { ServerConnection, type ServerContext } from './http1/server-connection.js';
import { plainAddress } from './http1/server-fields.js';
import { CallAcceptor } from './http2/exchange/call-acceptor.js';
import { Http2ServerConnection } from './http2/server/http2-server-connection.js';
import { changeOwner, own } from './socket-owner.js';
import type { FirstBytes } from './tcp/first-bytes.js';
import { Relay } from './tcp/relay.js';
import type { RelayContext } from './tcp/relay-call.js';
import type { DialledSockets } from './tcp/relay-socket.js';
import { TcpCall } from './tcp/tcp-call.js';

/** What a listener does to the connections that came through it. */
export interface OpenConnection {
  /** Ends soon: at once when idle, else after what is under way. Left out by those that only their peers can end. */
  drain?(): void;
  /** Ends at once. */
  destroy(): void;
}

/** The listener behind a reception. */
export interface ReceptionHost {
  readonly env: Environment;
  readonly sockets: DialledSockets;
  readonly sources: readonly SourceResolver[];
  readonly draining: boolean;
  /** A connection is to be drained and closed with the listener. */
  opened(connection: OpenConnection): void;
  /** A connection has ended, or has handed its socket to another one. */
  closed(connection: OpenConnection): void;
}

/** Who decides about the calls of a connection. */
export interface ReceptionTarget {
  readonly handler: CallHandler;
  /** Everything that arrives is for this destination. */
  readonly destination?: Destination | undefined;
  readonly isForGrpc?: boolean | undefined;
  /** Neither side of a call is to see that somebody stands between them: no fields of forwarding are added, and none to answers. */
  readonly isTransparent?: boolean | undefined;
}

/** What a connection speaks that is served and not relayed. */
type HttpProtocol = Extract<DetectedProtocol, 'http1' | 'http2'>;

/** Gives accepted connections to the protocol that they speak, all for one target. */
export class Reception implements ServerContext, RelayContext {
  readonly handler: CallHandler;
  readonly destination: Destination | undefined;
  readonly isForGrpc: boolean;
  readonly isTransparent: boolean;
  readonly env: Environment;
  sockets: DialledSockets;
  /** Of the connection that has been relayed last without a look at it. */
  protected relayedCall: TcpCall | undefined;

  constructor(
    private readonly host: ReceptionHost,
    target: ReceptionTarget,
  ) {
    this.handler = target.handler;
    this.destination = target.destination;
    this.isForGrpc = target.isForGrpc ?? false;
    this.isTransparent = target.isTransparent ?? false;
    this.env = host.env;
    this.sockets = host.sockets;
  }

  get sources(): readonly SourceResolver[] {
    return this.host.sources;
  }

  get draining(): boolean {
    return this.host.draining;
  }

  /** Called by a connection that has ended, or has handed its socket to another one. */
  closed(connection: OpenConnection): void {
    this.host.closed(connection);
  }

  /** Waits for the first bytes of an accepted connection, and gives it to the protocol they belong to. Nothing is dialled before. */
  awaitFirstBytes(socket: Socket): void {
    const first = new FirstBytesReader(
      socket,
      this.env,
      (bytes) => this.#route(socket, bytes),
      (reader) => this.closed(reader),
    );
    this.host.opened(first);
    own(socket, first, true);
  }

  /** Relays an accepted connection of which nobody has read. @param look finds out what the client says; undefined: it does not matter */
  relayFresh(socket: Socket, look: FirstBytes | undefined, preamble?: Buffer): void {
    if (look === undefined) this.env.stats.detectedTcp++;
    this.relayedCall = this.#tcpCall(socket, 'tcp', preamble);
    const relay = new Relay(socket, this.relayedCall, this, look, look === undefined);
    this.host.opened(relay);
    own(socket, relay, look !== undefined);
    relay.start(undefined);
  }

  /** Relays a connection that had another owner. @param bytes what has been read of it */
  relayRead(socket: Socket, protocol: DetectedProtocol, bytes: Buffer): void {
    const { stats } = this.env;
    if (protocol === 'http2') stats.detectedHttp2++;
    else if (protocol === 'tls') stats.detectedTls++;
    else stats.detectedTcp++;
    const relay = new Relay(socket, this.#tcpCall(socket, protocol), this, undefined, false);
    this.host.opened(relay);
    changeOwner(socket, relay);
    relay.start(bytes);
  }

  /** A relayed connection whose client turns out to speak HTTP is served. */
  takeHttp(socket: Socket, first: Buffer): 'taken' | 'passed' | 'unclear' {
    const protocol = detectProtocol(first);
    if (protocol === undefined) return 'unclear';
    if (protocol !== 'http1' && protocol !== 'http2') return 'passed';
    this.takeOver(socket, protocol, first);
    return 'taken';
  }

  /** Serves a connection that another owner gives up. */
  takeOver(socket: Socket, protocol: HttpProtocol, first: Buffer): void {
    this.env.stats.connectionsOpen++;
    socket.resume();
    this.#serve(socket, protocol, first);
  }

  /** Called by a connection of HTTP/1 whose client has asked for HTTP/2, or speaks it in a tunnel. */
  switchToHttp2(socket: Socket, upgrade: H2cUpgrade | undefined, early: Buffer): void {
    this.env.stats.connectionsOpen++;
    const connection = this.#openHttp2(socket);
    if (this.draining) connection.drain();
    if (upgrade !== undefined) connection.adoptUpgrade(upgrade.head, upgrade.settings);
    if (early.length > 0) connection.onData(early);
  }

  /**
   * The first bytes are there: hands the connection to the protocol they belong to. What may still become a request is treated as
   * one even if its client takes too long; otherwise waiting would be a way around all that looks at requests.
   */
  #route(socket: Socket, bytes: Buffer): void {
    this.env.stats.connectionsOpen++;
    const protocol = detectProtocol(bytes) ?? 'http1';
    if (protocol === 'http1' || protocol === 'http2') this.#serve(socket, protocol, bytes);
    else this.relayRead(socket, protocol, bytes);
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
    this.host.opened(connection);
    changeOwner(socket, connection);
    connection.onData(bytes);
  }

  #serveHttp2(socket: Socket, bytes: Buffer): void {
    const connection = this.#openHttp2(socket);
    // A connection that begins while we drain may have its first calls on their way already.
    if (this.draining) connection.drain();
    connection.onData(bytes);
  }

  #openHttp2(socket: Socket): Http2ServerConnection {
    this.env.stats.detectedHttp2++;
    const acceptor = new CallAcceptor(this, plainAddress(socket.remoteAddress), this.env);
    const connection = new Http2ServerConnection(socket, acceptor, this, this.env);
    this.host.opened(connection);
    changeOwner(socket, connection);
    return connection;
  }

  #tcpCall(socket: Socket, protocol: DetectedProtocol, preamble?: Buffer): TcpCall {
    return new TcpCall(
      this.handler.direction,
      protocol === 'http2' ? 'grpc' : 'tcp',
      plainAddress(socket.remoteAddress),
      this.destination,
      this.sources,
      preamble,
    );
  }
}
