import type { Socket } from 'node:net';
import type { CallHandler, Destination, Direction } from '@mesher/core';

/** Where an accepted connection was going before rules of interception brought it here. */
export type OriginalDestination =
  | { readonly kind: 'intercepted'; readonly address: string; readonly port: number }
  /** Nobody brought it: the client called this listener. */
  | { readonly kind: 'direct' }
  /** It was going to this very listener: passing it on would come back here for ever. */
  | { readonly kind: 'own-listener'; readonly address: string; readonly port: number }
  /** The client has left. */
  | { readonly kind: 'gone' };

/** What becomes of a connection. */
export interface TransparentRoute {
  /** Decides about the connection as a whole, and about the requests on it where {@link servesHttp}. */
  readonly handler: CallHandler;
  /** Everything on the connection is for this service. */
  readonly destination?: Destination | undefined;
  /** Its requests are decided about one by one, and written anew; otherwise its bytes pass as they are, whatever they say. */
  readonly servesHttp: boolean;
  /** Whether the service mesh decides, or the original destination stays: for counting. */
  readonly verdict: 'mesh' | 'passed';
  /**
   * Another route for a client that names a host (Host of its first request, SNI): in lower case, without a port. Undefined: the name
   * means nothing here. Left out: nobody looks for names.
   */
  byName?(host: string): TransparentRoute | undefined;
  /** Sent to the upstream before anything else. */
  preamble?(socket: Socket): Buffer;
}

/** How a listener treats connections that rules of interception bring to it. */
export interface TransparentSpec {
  /** Asked once per connection, at once. What it throws closes that connection. */
  find(socket: Socket): OriginalDestination;
  /** True for addresses of this machine, loopback included: who is called there is the local application. */
  isOwnAddress(address: string): boolean;
  route(direction: Direction, original: { readonly address: string; readonly port: number }): TransparentRoute;
  /** Original ports whose connections pass without a look at what they say. */
  readonly opaquePorts: ReadonlySet<number>;
  /** Original ports where clients speak HTTP: nothing is dialled before the first request where requests are served. */
  readonly httpPorts: ReadonlySet<number>;
}
