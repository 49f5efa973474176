import type { Server, Socket } from 'node:net';
import { endianness } from 'node:os';
import { InterceptError } from '../intercept-error.js';
import { IP_TRANSPARENT, IPV6_TRANSPARENT, ON, SO_ORIGINAL_DST, SOL_IP, SOL_IPV6 } from './socket-options.js';
import { readSockaddr, SOCKADDR_BYTES, type SocketAddress } from './sockaddr.js';
import { loadSystemCalls, type SystemCalls } from './system-calls.js';

/** Where an accepted connection was going before it came to us. */
export type OriginalDestination =
  /** The rules brought it here; it was going there. */
  | ({ readonly kind: 'intercepted' } & SocketAddress)
  /** Nobody brought it: the client called this listener. There is nowhere to pass it on to. */
  | { readonly kind: 'direct' }
  /**
   * It was going to this listener itself. Passing it on would come back here for ever: it must be closed. With rules of nat in the
   * namespace, direct connections look so, too.
   */
  | ({ readonly kind: 'own-listener' } & SocketAddress)
  /** The client was gone before it could be asked. */
  | { readonly kind: 'gone' };

/** Whether an address and port is one of our own transparent listeners, as the caller knows its addresses. */
export type IsOwnListener = (address: string, port: number) => boolean;

/** There is no entry of nat for the connection. */
const ENOENT = 2;
/** The kernel has no connection tracking for this family. */
const ENOPROTOOPT = 92;
const ENOTCONN = 107;
const EBADF = 9;
const MAPPED = '::ffff:';
const EPERM = 1;

/**
 * Reads original destinations. Costs half a microsecond of CPU per connection (measured: 0.4 us for the call itself).
 *
 * ```ts
 * const destinations = OriginalDestinations.load(); // at the start, so that a missing koffi is told then
 * const found = destinations.of(socket, isOwnListener); // in the listener of 'connection', before anything is awaited
 * ```
 */
export class OriginalDestinations {
  readonly #calls: SystemCalls;
  // One buffer is enough: calls do not overlap, and what was read is taken out before the next.
  readonly #bytes = new Uint8Array(SOCKADDR_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #littleEndian = endianness() === 'LE';

  constructor(calls: SystemCalls) {
    this.#calls = calls;
  }

  /** @throws InterceptError INTERCEPT_NOT_LINUX, INTERCEPT_NO_KOFFI */
  static load(): OriginalDestinations {
    return new OriginalDestinations(loadSystemCalls());
  }

  /**
   * The destination before REDIRECT. A connection over IPv4 to a listener of both families has a mapped address (`::ffff:`) and is asked
   * about in the way of IPv4; the answer has no prefix.
   * @throws InterceptError INTERCEPT_SOCKET when the kernel refuses for another reason than those that have a result
   */
  of(socket: Socket, isOwnListener: IsOwnListener): OriginalDestination {
    const fd = descriptorOf(socket);
    const { localAddress } = socket;
    if (fd < 0 || localAddress === undefined) return { kind: 'gone' };
    const isIpv6 = localAddress.includes(':') && !localAddress.startsWith(MAPPED);
    const errno = this.#calls.getsockopt(fd, isIpv6 ? SOL_IPV6 : SOL_IP, SO_ORIGINAL_DST, this.#bytes);
    if (errno === ENOENT || errno === ENOPROTOOPT) return { kind: 'direct' };
    if (errno === ENOTCONN || errno === EBADF) return { kind: 'gone' };
    const found = errno === 0 ? readSockaddr(this.#view, this.#littleEndian) : undefined;
    if (found === undefined) {
      throw new InterceptError('INTERCEPT_SOCKET', `SO_ORIGINAL_DST of ${localAddress} failed with errno ${errno}`);
    }
    return classify(found, isOwnListener);
  }

  /**
   * Lets a listener take connections to any address and port (TPROXY). To be called when it listens already, before rules send anything.
   * @throws InterceptError INTERCEPT_NOT_PERMITTED without the capability NET_ADMIN; INTERCEPT_SOCKET
   */
  makeTransparent(server: Server): void {
    const fd = descriptorOf(server);
    const address = server.address();
    const isIpv6 = typeof address === 'object' && address?.family === 'IPv6';
    const errno = isIpv6
      ? this.#calls.setsockopt(fd, SOL_IPV6, IPV6_TRANSPARENT, ON)
      : this.#calls.setsockopt(fd, SOL_IP, IP_TRANSPARENT, ON);
    if (errno === 0) return;
    if (errno === EPERM) {
      throw new InterceptError(
        'INTERCEPT_NOT_PERMITTED',
        'a transparent listener needs the capability NET_ADMIN; without it use REDIRECT',
      );
    }
    throw new InterceptError('INTERCEPT_SOCKET', `IP_TRANSPARENT failed with errno ${errno}`);
  }
}

/**
 * The destination of a connection that came by TPROXY: its local address is the one that the client called. Needs no koffi when the
 * listener was handed over transparent.
 */
export function transparentDestination(
  { localAddress, localPort }: Pick<Socket, 'localAddress' | 'localPort'>,
  isOwnListener: IsOwnListener,
): OriginalDestination {
  if (localAddress === undefined || localPort === undefined) return { kind: 'gone' };
  return classify({ address: withoutPrefix(localAddress), port: localPort }, isOwnListener);
}

function classify(found: SocketAddress, isOwnListener: IsOwnListener): OriginalDestination {
  const address = withoutPrefix(found.address);
  return { kind: isOwnListener(address, found.port) ? 'own-listener' : 'intercepted', address, port: found.port };
}

/** A listener of both families may be told of IPv4 connections under either form. */
function withoutPrefix(address: string): string {
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
}

/** Node shows the number of the socket on its handle only; the field is there in all versions since 0.10, on every system but Windows. */
function descriptorOf(holder: Socket | Server): number {
  return (holder as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd ?? -1;
}
