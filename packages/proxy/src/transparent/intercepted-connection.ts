import type { Socket } from 'node:net';
import type { ErrorCode } from '@mesher/core';
import { detectProtocol } from '../detect.js';
import { Reception, type OpenConnection, type ReceptionHost } from '../reception.js';
import { KeptRelaySocket } from '../tcp/kept-relay-socket.js';
import { plainAddress } from '../http1/server-fields.js';
import type { StreamObserver } from '../tcp/stream-observer.js';
import { readEarlyServerName, readServerName } from './client-hello.js';
import { FirstHost, readFirstHost } from './first-host.js';
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
 * Who decides about a connection, or the requests on it, once its client has spoken.
 * @param host that the client names; '' for none
 * @returns undefined when the connection goes on as it was begun; `observed` when it does, and {@link TransparentRoute.observed} sees its requests
 */
export function chooseTarget(
  route: Partial<TransparentRoute>,
  protocol: 'http1' | 'http2' | 'tls',
  host: string,
): TransparentTarget | 'observed' | undefined {
  const { byName, http, http2 = http, observed } = route;
  if (protocol === 'http2') return http2;
  const named = host === '' ? undefined : byName?.(host, protocol);
  if (named !== undefined || protocol === 'tls') return named;
  return observed === undefined ? http : 'observed';
}

/**
 * One connection with a destination of its own. It is dialled at once and relayed: a server that speaks first is not kept waiting, nor is
 * any other. What the client says first is looked at on its way, and only what names a service, or is served as HTTP, takes another way.
 */
export class InterceptedConnection extends Reception {
  readonly refusesAtOnce: boolean;
  readonly unclearFor: number | undefined;
  #isCounted = false;
  #isHandedOn = false;
  #firstHost: FirstHost | undefined;

  constructor(
    private readonly listener: ReceptionHost,
    private readonly route: TransparentRoute | TransparentTarget,
    private readonly counts: TransparentCounts,
    private readonly watched?: WatchedConnection,
  ) {
    super(listener, route);
    const { http, http2, byName, observed }: Partial<TransparentRoute> = route;
    this.refusesAtOnce = (http ?? http2 ?? byName ?? observed) === undefined;
    // Where a name decides who is called, it is worth waiting for; a look at what passes is not.
    this.unclearFor = observed !== undefined && byName === undefined ? listener.env.options.observeTimeout : undefined;
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
      this.#tellName(protocol, first, typeof look === 'object');
    }
    return look;
  }

  #lookInto(socket: Socket, first: Buffer, protocol: SeenProtocol): Look {
    if (protocol !== 'http1' && protocol !== 'http2' && protocol !== 'tls') return 'passed';
    const host = this.#hostOf(first, protocol);
    if (host === undefined) return 'unclear';
    const target = chooseTarget(this.route, protocol, host);
    if (target === undefined) return 'passed';
    if (target === 'observed')
      return this.#choices.observed === undefined ? 'passed' : this.#observe(socket, this.#choices.observed);
    const next = this.#goOn(target, protocol);
    if (protocol === 'tls') {
      this.env.stats.connectionsOpen++;
      socket.resume();
      next.relayRead(socket, protocol, first);
    } else next.takeOver(socket, protocol, first);
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

  /** The host that the client names, where that decides; '' for none; undefined when more bytes are needed. */
  #hostOf(first: Buffer, protocol: 'http1' | 'http2' | 'tls'): string | undefined {
    // Names within HTTP/2 are compressed, and known only where it is served.
    if (protocol === 'http2' || this.#choices.byName === undefined) return '';
    const host =
      protocol === 'tls'
        ? readServerName(first)
        : (this.#firstHost ??= new FirstHost(this.env.options.maxHeadBytes)).read(first);
    if (host !== undefined && host !== '') this.watched?.named(host);
    return host;
  }

  /** The name that shows in the first bytes, for those who only want to know; no more bytes are awaited for it. */
  #tellName(protocol: SeenProtocol | undefined, first: Buffer, isObserved: boolean): void {
    const { watched } = this;
    const { byName, recognise } = this.#choices;
    if (watched === undefined && recognise === undefined) return;
    const host =
      protocol === 'tls' ? readEarlyServerName(first) : protocol === 'http1' ? readFirstHost(first, first.length) : '';
    if (host === undefined || host === '') return;
    if (byName === undefined) watched?.named(host);
    // Requests that are seen are counted by themselves.
    if (!isObserved && this.relayedCall !== undefined) recognise?.(this.relayedCall, host);
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
