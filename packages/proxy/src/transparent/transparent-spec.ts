import type { Server, Socket } from 'node:net';
import type { Direction, Endpoint, Invocation } from '@mesher/core';
import type { ReceptionTarget } from '../reception.js';
import type { ConnectionWatcher } from './connection-watcher.js';
import type { RequestObserver } from './observed/observed-connection.js';

/** Where an accepted connection was going before rules of interception brought it here. */
export type OriginalDestination =
  | { readonly kind: 'intercepted'; readonly address: string; readonly port: number }
  /** Nobody brought it: the client called this listener. */
  | { readonly kind: 'direct' }
  /** It was going to this very listener: passing it on would come back here for ever. */
  | { readonly kind: 'own-listener'; readonly address: string; readonly port: number }
  /** The client has left. */
  | { readonly kind: 'gone' };

/** Who decides about a connection, or about the requests on it. */
export interface TransparentTarget extends Pick<ReceptionTarget, 'handler' | 'destination' | 'isTransparent'> {
  /** Whether the mesh decides, or the original destination stays, or nobody may go there: for counting. */
  readonly verdict: 'mesh' | 'passed' | 'refused';
}

/** What becomes of a connection: its bytes pass as they are to where the handler says. */
export interface TransparentRoute extends TransparentTarget {
  /** Requests of clients that speak HTTP are decided about one by one here, and written anew. Left out: they pass like all else. */
  readonly http?: TransparentTarget | undefined;
  /**
   * Told of the requests of clients that speak HTTP/1 and name nothing that {@link byName} knows. They pass on the connection that the client has opened, byte for
   * byte but for the fields that it edits; {@link http} is then for HTTP/2 alone.
   */
  readonly observed?: RequestObserver | undefined;
  /** In the place of {@link http} for clients that speak HTTP/2. */
  readonly http2?: TransparentTarget | undefined;
  /**
   * Another target, before {@link http}, for clients that name a host in their first request (HTTP/1) or ask for one (TLS, by
   * SNI; it stays encrypted). In lower case, without a port. Undefined: the name means nothing here.
   */
  byName?(host: string, protocol: 'http1' | 'tls'): TransparentTarget | undefined;
  /**
   * Told of the host that a client names whose connection passes (HTTP/1, or TLS by SNI), if it shows in the first bytes that come: what
   * it is counted for may change, and nothing else. Left out: nobody looks.
   */
  readonly recognise?: ((call: Invocation, host: string) => void) | undefined;
  /** Sent to the upstream before anything else. */
  preamble?(socket: Socket): Buffer;
  /** Begins the connection to the upstream, in the place of the usual way: from the address of the client. For connections that are relayed. */
  connect?(client: Socket, endpoint: Endpoint): Socket;
}

/** How a listener treats connections that rules of interception bring to it. */
export interface TransparentSpec {
  /** Asked once per connection, at once. What it throws closes that connection. */
  find(socket: Socket): OriginalDestination;
  /**
   * True for addresses of this machine, loopback included: who is called there is the local application.
   * @param socket the connection that was going there, if there is one
   */
  isOwnAddress(address: string, socket?: Pick<Socket, 'localAddress' | 'localPort'>): boolean;
  route(direction: Direction, original: { readonly address: string; readonly port: number }): TransparentRoute;
  /** Told of the listening socket before anything is accepted from it (TPROXY). What it throws stops the start. */
  prepare?(server: Server): void;
  /** Told of every connection; left out: nobody is, and it costs nothing. */
  readonly watcher?: ConnectionWatcher | undefined;
  /** Original ports whose connections pass without a look at what they say. */
  readonly opaquePorts: ReadonlySet<number>;
  /** Original ports where clients speak HTTP: nothing is dialled before the first request where requests are served. */
  readonly httpPorts: ReadonlySet<number>;
}
