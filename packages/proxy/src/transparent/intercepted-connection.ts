import type { Socket } from 'node:net';
import type { ErrorCode } from '@mesher/core';
import { detectProtocol } from '../detect.js';
import { Reception, type OpenConnection, type ReceptionHost } from '../reception.js';
import { KeptRelaySocket } from '../tcp/kept-relay-socket.js';
import { plainAddress } from '../http1/server-fields.js';
import type { StreamObserver } from '../tcp/stream-observer.js';
import { readEarlyServerName, readServerName } from './client-hello.js';
import { readFirstHost } from './first-host.js';
import { ObservedConnection, type RequestObserver } from './observed/observed-connection.js';
import type { WatchedConnection } from './connection-watcher.js';
import type { SeenProtocol, TransparentCounts } from './transparent-counts.js';
import type { TransparentRoute, TransparentSpec, TransparentTarget } from './transparent-spec.js';

type Look = 'taken' | 'passed' | 'unclear' | StreamObserver;

/** How a connection is begun: without a look at what it says; by its first request; or dialled at once, and whoever speaks first decides. */
export type Beginning = 'opaque' | 'http' | 'auto';

/** How a connection to a port is begun. Said twice, the narrower word counts: ports are opaque by a default, too. */
export function beginningOf(
  port: number,
  { httpPorts, opaquePorts }: Pick<TransparentSpec, 'httpPorts' | 'opaquePorts'>,
): Beginning {
  if (httpPorts.has(port)) return 'http';
  return opaquePorts.has(port) ? 'opaque' : 'auto';
}

/**
 * One connection with a destination of its own. It is dialled at once and relayed: a server that speaks first is not kept waiting, nor is
 * any other. What the client says first is looked at on its way, and only what names a service, or is served as HTTP, takes another way.
 */
export class InterceptedConnection extends Reception {
  readonly refusesAtOnce: boolean;
  #isCounted = false;
  #isHandedOn = false;

  constructor(
    private readonly listener: ReceptionHost,
    private readonly route: TransparentRoute | TransparentTarget,
    private readonly counts: TransparentCounts,
    private readonly watched?: WatchedConnection,
  ) {
    super(listener, route);
    const { http, http2, byName, observed }: Partial<TransparentRoute> = route;
    this.refusesAtOnce = (http ?? http2 ?? byName ?? observed) === undefined;
  }

  begin(socket: Socket, how: Beginning): void {
    const { connect, http, observed, preamble } = this.#choices;
    // A connection that is only observed is used, whatever its client says.
    if (how === 'http' && http !== undefined && observed === undefined) {
      this.#goOn(http, 'http1').awaitFirstBytes(socket);
      return;
    }
    if (connect !== undefined) {
      const { stats } = this.env;
      this.sockets = { take: () => new KeptRelaySocket((endpoint) => connect(socket, endpoint), stats) };
    }
    if (how === 'opaque') this.#count('opaque');
    const look = how === 'opaque' ? undefined : (first: Buffer): Look => this.#look(socket, first);
    this.relayFresh(socket, look, preamble?.(socket));
  }

  get #choices(): Partial<TransparentRoute> {
    return this.route;
  }

  refused(message: string): void {
    this.watched?.refused(message);
  }

  ended(code: ErrorCode | undefined, aborted: boolean): void {
    // Whoever goes on with the connection tells its end.
    if (!this.#isHandedOn) this.watched?.ended(code, aborted);
  }

  serverSpokeFirst(): void {
    this.#count('server-first');
  }

  override closed(connection: OpenConnection): void {
    // Neither side has said anything.
    this.#count('unknown');
    super.closed(connection);
  }

  #look(socket: Socket, first: Buffer): Look {
    const protocol = detectProtocol(first);
    if (protocol === undefined && !this.refusesAtOnce) return 'unclear';
    const look = this.#lookInto(socket, first, protocol ?? 'tcp');
    if (look === 'passed' || typeof look === 'object') {
      this.#count(protocol ?? 'tcp');
      if (this.watched !== undefined) this.#tellName(this.watched, protocol, first);
    }
    return look;
  }

  #lookInto(socket: Socket, first: Buffer, protocol: SeenProtocol): Look {
    const { http, http2 = http, observed } = this.#choices;
    if (protocol === 'http1') {
      const named = this.#named(first, protocol);
      if (named === 'unclear') return named;
      if (named === undefined && observed !== undefined) return this.#observe(socket, observed);
      return this.#serve(socket, protocol, named ?? http, first);
    }
    // Names within HTTP/2 are compressed: only who serves it knows them.
    if (protocol === 'http2') return this.#serve(socket, protocol, http2, first);
    if (protocol !== 'tls') return 'passed';
    const target = this.#named(first, protocol);
    if (target === undefined || target === 'unclear') return target ?? 'passed';
    this.env.stats.connectionsOpen++;
    socket.resume();
    this.#goOn(target, protocol).relayRead(socket, 'tls', first);
    return 'taken';
  }

  #serve(socket: Socket, protocol: 'http1' | 'http2', target: TransparentTarget | undefined, first: Buffer): Look {
    if (target === undefined) return 'passed';
    this.#goOn(target, protocol).takeOver(socket, protocol, first);
    return 'taken';
  }

  #observe(socket: Socket, observer: RequestObserver): StreamObserver {
    const { destination, env, sources } = this;
    const connection = new ObservedConnection(
      { observer, destination, env, sources },
      plainAddress(socket.remoteAddress),
    );
    if (this.draining) connection.drain();
    return connection;
  }

  /** Who is meant by the host that the client names. */
  #named(first: Buffer, protocol: 'http1' | 'tls'): TransparentTarget | 'unclear' | undefined {
    const { route } = this;
    if (!('byName' in route) || route.byName === undefined) return undefined;
    const host = protocol === 'tls' ? readServerName(first) : readFirstHost(first, this.env.options.maxHeadBytes);
    if (host === undefined) return 'unclear';
    if (host === '') return undefined;
    this.watched?.named(host);
    return route.byName(host, protocol);
  }

  /** The name that shows in the first bytes, where nobody else asks; no more of them are awaited for it. */
  #tellName(watched: WatchedConnection, protocol: SeenProtocol | undefined, first: Buffer): void {
    if (this.#choices.byName !== undefined) return;
    const host =
      protocol === 'tls' ? readEarlyServerName(first) : protocol === 'http1' ? readFirstHost(first, first.length) : '';
    if (host !== undefined && host !== '') watched.named(host);
  }

  /** The connection goes on with another target, and counts for that one. */
  #goOn(target: TransparentTarget, protocol: SeenProtocol): InterceptedConnection {
    const next = new InterceptedConnection(this.listener, target, this.counts, this.watched);
    next.#count(protocol);
    this.#isCounted = true;
    this.#isHandedOn = true;
    return next;
  }

  #count(protocol: SeenProtocol): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    this.counts.add(this.handler.direction, protocol, this.route.verdict);
    this.watched?.decided(protocol, this.route.verdict);
  }
}
