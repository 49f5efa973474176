import type { Socket } from 'node:net';
import { detectProtocol } from '../detect.js';
import { Reception, type OpenConnection, type ReceptionHost } from '../reception.js';
import { readServerName } from './client-hello.js';
import { readFirstHost } from './first-host.js';
import type { SeenProtocol, TransparentCounts } from './transparent-counts.js';
import type { TransparentRoute } from './transparent-spec.js';

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
    private readonly route: TransparentRoute,
    private readonly counts: TransparentCounts,
  ) {
    super(listener, route);
    this.refusesAtOnce = !route.servesHttp && route.byName === undefined;
  }

  begin(socket: Socket, how: Beginning): void {
    const { route } = this;
    if (how === 'http' && route.servesHttp) {
      this.#count('http1');
      this.awaitFirstBytes(socket);
      return;
    }
    if (how === 'opaque') this.#count('opaque');
    const look = how === 'opaque' ? undefined : (first: Buffer): Look => this.#look(socket, first);
    this.relayFresh(socket, look, route.preamble?.(socket));
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
    const { route } = this;
    if (protocol === 'http1' || protocol === 'http2') {
      if (route.servesHttp) {
        this.#count(protocol);
        this.takeOver(socket, protocol, first);
        return 'taken';
      }
      // Names within HTTP/2 are compressed: a connection of it is known by its address, or not at all.
      if (route.byName === undefined || protocol === 'http2') return 'passed';
      const host = readFirstHost(first, this.env.options.maxHeadBytes);
      if (host === undefined) return 'unclear';
      const named = this.#named(host, protocol);
      if (named === undefined) return 'passed';
      named.takeOver(socket, protocol, first);
      return 'taken';
    }
    if (protocol !== 'tls' || route.byName === undefined) return 'passed';
    const host = readServerName(first);
    if (host === undefined) return 'unclear';
    const named = this.#named(host, protocol);
    if (named === undefined) return 'passed';
    this.env.stats.connectionsOpen++;
    socket.resume();
    named.relayRead(socket, 'tls', first);
    return 'taken';
  }

  /** The connection goes on by another route, and counts for that one. */
  #named(host: string, protocol: SeenProtocol): InterceptedConnection | undefined {
    const route = host === '' ? undefined : this.route.byName?.(host);
    if (route === undefined) return undefined;
    const named = new InterceptedConnection(this.listener, route, this.counts);
    named.#count(protocol);
    this.#isCounted = true;
    return named;
  }

  #count(protocol: SeenProtocol): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    this.counts.add(this.handler.direction, protocol, this.route.verdict);
  }
}
