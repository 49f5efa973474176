import type { Socket } from 'node:net';
import { plainAddress } from '../http1/server-fields.js';
import { Reception, type ReceptionHost, type ReceptionTarget } from '../reception.js';
import { resetSocket } from '../socket-owner.js';
import type { TurnedAway } from './connection-watcher.js';
import { InboundSide } from './inbound-side.js';
import { beginningOf, InterceptedConnection } from './intercepted-connection.js';
import type { OriginalDestination, TransparentSpec } from './transparent-spec.js';

/** A loop makes thousands of connections in a second: one line tells of all of them. */
const LOG_INTERVAL_MS = 60_000;

type Original = Extract<OriginalDestination, { readonly kind: 'intercepted' }>;

/** What a transparent listener does with each connection that it accepts. */
export class InterceptedConnections {
  readonly #direct: Reception;
  readonly #inbound: InboundSide;
  #drained: Promise<void> | undefined;
  #outboundBegun = 0;
  readonly #lastLogged = new Map<string, number>();

  /** @param direct answers clients that call the listener itself */
  constructor(
    private readonly host: ReceptionHost,
    private readonly spec: TransparentSpec,
    direct: ReceptionTarget,
  ) {
    host.env.ownDials.keep();
    this.#inbound = new InboundSide(host);
    this.#direct = new Reception(host, { ...direct, destination: undefined });
  }

  /** Outbound connections that were taken so far. */
  get outboundBegun(): number {
    return this.#outboundBegun;
  }

  /** Takes nothing more from other machines; resolves when the last inbound connection has ended. */
  drainInbound(): Promise<void> {
    this.#drained ??= this.#inbound.drain();
    return this.#drained;
  }

  accept(socket: Socket): void {
    const original = this.#find(socket);
    switch (original.kind) {
      case 'intercepted':
        this.#intercepted(socket, original);
        break;
      case 'direct':
        this.#turnedAway(socket, 'direct');
        this.#log(
          'direct',
          'a client called the transparent listener itself, for which there is nothing to pass on',
          {},
        );
        // It is read only to tell a client that speaks HTTP why.
        this.#direct.awaitFirstBytes(socket);
        break;
      case 'own-listener':
        this.#turnedAway(socket, 'loop', original);
        this.#log(
          'loop',
          'a connection was going to the transparent listener itself and was closed: somebody has called that port',
          { address: original.address, port: original.port, peer: socket.remoteAddress },
        );
        this.#close(socket, true);
        break;
      case 'gone':
        this.#turnedAway(socket, 'gone');
        this.#close(socket, false);
        break;
      case 'failed':
        this.#turnedAway(socket, 'failed');
        this.#close(socket, true);
        break;
    }
  }

  #find(socket: Socket): OriginalDestination | { readonly kind: 'failed' } {
    try {
      return this.spec.find(socket);
    } catch (error) {
      this.#log('failed', 'nobody could tell where a connection was going; it was closed', { error });
      return { kind: 'failed' };
    }
  }

  #intercepted(socket: Socket, original: Original): void {
    let connection: InterceptedConnection | undefined;
    try {
      connection = this.#decide(socket, original);
    } catch (error) {
      this.#log('failed', 'nobody could decide about a connection; it was closed', { error });
      this.#turnedAway(socket, 'failed', original);
      this.#close(socket, true);
    }
    connection?.begin(socket, beginningOf(original.port, this.spec));
  }

  /** What comes back comes from an address of this machine. Other machines choose their ports as they like, and some will be ours. */
  #isLoop(socket: Socket, original: Original): boolean {
    return this.#isLocal(socket) && this.host.env.ownDials.isLoop(socket.remotePort, original);
  }

  /** @returns undefined when it is refused */
  #decide(socket: Socket, original: Original): InterceptedConnection | undefined {
    const { spec } = this;
    if (this.#isLoop(socket, original)) {
      this.#cameBack(socket, original);
      return undefined;
    }
    const direction = spec.isOwnAddress(original.address, socket) ? 'inbound' : 'outbound';
    const { transparent: counts } = this.host.env.stats;
    const watched = spec.watcher?.begun(socket, direction, original);
    // What a local program calls at the own address is a call of the application, too.
    if (direction === 'inbound' && this.#drained !== undefined && !this.#isLocal(socket)) {
      counts.add(direction, 'unknown', 'refused');
      watched?.decided('unknown', 'refused');
      watched?.refused('the sidecar is draining');
      this.#close(socket, true);
      return undefined;
    }
    const route = spec.route(direction, original);
    if (direction === 'outbound') this.#outboundBegun++;
    const host = direction === 'outbound' ? this.host : this.#inbound;
    return new InterceptedConnection(host, route, counts, watched);
  }

  #isLocal({ remoteAddress = '' }: Socket): boolean {
    return this.spec.isOwnAddress(plainAddress(remoteAddress));
  }

  /** Whoever called may well call again, and each call costs two connections and no more. */
  #cameBack(socket: Socket, { address, port }: { readonly address: string; readonly port: number }): void {
    this.#turnedAway(socket, 'loop', { address, port });
    this.#log(
      'own',
      'the rules brought a connection of the sidecar itself back to it, and it was closed: run the sidecar as the user or group that the rules leave alone (mesher intercept apply --uid, --gid)',
      { address, port, uid: process.getuid?.(), gid: process.getgid?.() },
    );
    this.#close(socket, true);
  }

  #turnedAway(
    socket: Socket,
    verdict: TurnedAway,
    original?: { readonly address: string; readonly port: number },
  ): void {
    this.host.env.stats.transparent.add('unknown', 'unknown', verdict);
    this.spec.watcher?.turnedAway(socket, verdict, original);
  }

  #close(socket: Socket, reset: boolean): void {
    // Nobody owns it: an error of it would be one of the process.
    socket.on('error', () => undefined);
    if (reset) resetSocket(socket);
    else socket.destroy();
    this.host.env.stats.connectionsOpen--;
  }

  #log(kind: string, message: string, fields: object): void {
    const { logger, now, stats } = this.host.env;
    const last = this.#lastLogged.get(kind);
    const time = now();
    if (last !== undefined && time - last < LOG_INTERVAL_MS) return;
    this.#lastLogged.set(kind, time);
    const verdict = kind === 'own' ? 'loop' : kind === 'loop' || kind === 'direct' ? kind : 'failed';
    logger.warn({ ...fields, connectionsSoFar: stats.transparent.of({ verdict }) }, message);
  }
}
