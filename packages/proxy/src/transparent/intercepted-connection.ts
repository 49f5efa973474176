import type { Socket } from 'node:net';
import { detectProtocol } from '../detect.js';
import { Reception, type OpenConnection, type ReceptionHost } from '../reception.js';
import { KeptRelaySocket } from '../tcp/kept-relay-socket.js';
import { readServerName } from './client-hello.js';
import { readFirstHost } from './first-host.js';
import type { SeenProtocol, TransparentCounts } from './transparent-counts.js';
import type { TransparentRoute, TransparentTarget } from './transparent-spec.js';

type Look = 'taken' | 'passed' | 'unclear';

/** How a connection is begun: without a look at what it says; by its first request; or dialled at once, and whoever speaks first decides. */
export type Beginning = 'opaque' | 'http' | 'auto';

/**
 * One connection with a destination of its own. It is dialled at once and relayed: a server that speaks first is not kept waiting, nor is
 * any other. What the client says first is looked at on its way, and only what names a service, or is served as HTTP, takes another way.
 */
export class InterceptedConnection extends Reception {
  readonly refusesAtOnce: boolean;
  #isCounted = false;

  constructor(
    private readonly listener: ReceptionHost,
    private readonly route: TransparentRoute | TransparentTarget,
    private readonly counts: TransparentCounts,
  ) {
    super(listener, route);
    const { http, byName }: Partial<TransparentRoute> = route;
    this.refusesAtOnce = http === undefined && byName === undefined;
  }

  begin(socket: Socket, how: Beginning): void {
    const { connect, http, preamble } = this.#choices;
    if (how === 'http' && http !== undefined) {
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
    if (look === 'passed') this.#count(protocol ?? 'tcp');
    return look;
  }

  #lookInto(socket: Socket, first: Buffer, protocol: SeenProtocol): Look {
    const { http } = this.#choices;
    if (protocol === 'http1' || protocol === 'http2') {
      // Names within HTTP/2 are compressed: a connection of it is known by its address, or not at all.
      const target = (protocol === 'http1' ? this.#named(first, protocol) : undefined) ?? http;
      if (target === undefined || target === 'unclear') return target ?? 'passed';
      this.#goOn(target, protocol).takeOver(socket, protocol, first);
      return 'taken';
    }
    if (protocol !== 'tls') return 'passed';
    const target = this.#named(first, protocol);
    if (target === undefined || target === 'unclear') return target ?? 'passed';
    this.env.stats.connectionsOpen++;
    socket.resume();
    this.#goOn(target, protocol).relayRead(socket, 'tls', first);
    return 'taken';
  }

  /** Who is meant by the host that the client names. */
  #named(first: Buffer, protocol: 'http1' | 'tls'): TransparentTarget | 'unclear' | undefined {
    const { route } = this;
    if (!('byName' in route) || route.byName === undefined) return undefined;
    const host = protocol === 'tls' ? readServerName(first) : readFirstHost(first, this.env.options.maxHeadBytes);
    if (host === undefined) return 'unclear';
    return host === '' ? undefined : route.byName(host, protocol);
  }

  /** The connection goes on with another target, and counts for that one. */
  #goOn(target: TransparentTarget, protocol: SeenProtocol): InterceptedConnection {
    const next = new InterceptedConnection(this.listener, target, this.counts);
    next.#count(protocol);
    this.#isCounted = true;
    return next;
  }

  #count(protocol: SeenProtocol): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    this.counts.add(this.handler.direction, protocol, this.route.verdict);
  }
}
