import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { MeshError, type CallHandler, type Destination, type SourceResolver } from '@mesher/core';
import { Deadline } from './deadlines.js';
import { detectProtocol, type DetectedProtocol } from './detect.js';
import type { Environment } from './environment.js';
import { ServerConnection, type ServerContext } from './http1/server-connection.js';
import { changeOwner, own, type SocketOwner } from './socket-owner.js';
import { Relay } from './tcp/relay.js';
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
}

interface OpenConnection {
  drain?(): void;
  destroy(): void;
}

/** One listening socket and the connections that came through it. */
export class Listener implements ServerContext {
  readonly handler: CallHandler;
  readonly sources: readonly SourceResolver[];
  readonly destination: Destination | undefined;
  draining = false;
  readonly #server: Server;
  readonly #open = new Set<OpenConnection>();
  #onEmpty: (() => void) | undefined;

  constructor(
    private readonly spec: ListenerSpec,
    private readonly env: Environment,
    private readonly sockets: RelaySockets,
  ) {
    this.handler = spec.handler;
    this.sources = spec.sources ?? [];
    this.destination = spec.destination;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
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

  /** Accepts nothing more and closes what is idle; resolves when the last exchange has ended. */
  async drain(): Promise<void> {
    this.draining = true;
    this.#server.close();
    for (const connection of [...this.#open]) connection.drain?.();
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  close(): void {
    this.draining = true;
    this.#server.close();
    for (const connection of [...this.#open]) connection.destroy();
  }

  closed(connection: OpenConnection): void {
    if (!this.#open.delete(connection)) return;
    this.env.stats.connectionsOpen--;
    if (this.#open.size === 0) this.#onEmpty?.();
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
      const first = new FirstBytesReader(socket, this, this.env, (bytes) => this.#route(socket, bytes));
      this.#open.add(first);
      own(socket, first, true);
    }
  }

  /** The first bytes are there: hands the connection to the protocol they belong to. */
  #route(socket: Socket, bytes: Buffer): void {
    const protocol = detectProtocol(bytes) ?? 'tcp';
    if (protocol === 'http1') this.#serveHttp1(socket, bytes);
    else this.#relay(socket, bytes, protocol, false);
  }

  #serveHttp1(socket: Socket, bytes: Buffer): void {
    this.env.stats.detectedHttp1++;
    const connection = new ServerConnection(socket, this, this.env);
    this.#open.add(connection);
    changeOwner(socket, connection);
    connection.onData(bytes);
  }

  #relay(socket: Socket, bytes: Buffer | undefined, protocol: DetectedProtocol, detect: boolean): void {
    const { stats } = this.env;
    if (!detect) {
      if (protocol === 'http2') stats.detectedHttp2++;
      else if (protocol === 'tls') stats.detectedTls++;
      else stats.detectedTcp++;
    }
    const address = socket.remoteAddress ?? '';
    const call = new TcpCall(
      this.handler.direction,
      protocol === 'http2' ? 'grpc' : 'tcp',
      address,
      this.destination,
      this.sources,
    );
    const relay = new Relay(
      socket,
      call,
      this.handler,
      this.env,
      this.sockets,
      (ended) => this.closed(ended),
      detect ? (first) => this.#takeHttp1(socket, first) : undefined,
    );
    this.#open.add(relay);
    if (detect) own(socket, relay, true);
    else changeOwner(socket, relay);
    relay.start(bytes);
  }

  /** A listener with a fixed destination still gives HTTP requests their policies. */
  #takeHttp1(socket: Socket, first: Buffer): boolean {
    if (detectProtocol(first) !== 'http1') {
      this.env.stats.detectedTcp++;
      return false;
    }
    this.env.stats.connectionsOpen++;
    socket.resume();
    this.#serveHttp1(socket, first);
    return true;
  }
}

/** Waits for enough of the first bytes to tell the protocol. */
class FirstBytesReader extends Deadline implements SocketOwner {
  #bytes: Buffer | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly listener: Listener,
    private readonly env: Environment,
    private readonly route: (bytes: Buffer) => void,
  ) {
    super();
    env.deadlines.arm(this, env.options.detectTimeout);
  }

  onData(chunk: Buffer): void {
    const bytes = this.#bytes === undefined ? chunk : Buffer.concat([this.#bytes, chunk]);
    if (detectProtocol(bytes) === undefined) {
      this.#bytes = bytes;
      return;
    }
    this.#handOver(bytes);
  }

  onEnd(): void {
    if (this.#bytes === undefined) this.destroy();
    else this.#handOver(this.#bytes);
  }

  onDrain(): void {
    // nothing is written here
  }

  onError(_error: Error): void {
    // 'close' follows
  }

  onClose(): void {
    this.destroy();
  }

  /** The client has not said enough: a word that could have become a request is treated as bytes, silence as absence. */
  override onDeadline(): void {
    if (this.#bytes === undefined) this.destroy();
    else this.#handOver(this.#bytes);
  }

  drain(): void {
    this.destroy();
  }

  destroy(): void {
    this.env.deadlines.remove(this);
    this.socket.destroy();
    this.listener.closed(this);
  }

  #handOver(bytes: Buffer): void {
    this.env.deadlines.remove(this);
    this.env.stats.connectionsOpen++;
    this.route(bytes);
    this.listener.closed(this);
  }
}

function explain(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE')
    return 'the port is in use by another process; choose another in servicecomb.protocols';
  if (error.code === 'EACCES') return 'ports below 1024 need the capability CAP_NET_BIND_SERVICE';
  if (error.code === 'EADDRNOTAVAIL') return 'no network interface of this machine has that address';
  return error.message;
}
