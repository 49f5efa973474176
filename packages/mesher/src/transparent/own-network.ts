import type { Ports, TimerHandle } from '@mesher/core';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Addresses come and go while a machine or a container starts, and hardly ever afterwards; reading them takes 0.1 ms. */
const REFRESH_MS = 5_000;
/** The shortest time between two readings, when somebody has called an address that is not known: a thousandth of the time at most. */
const SHORTEST_REFRESH_MS = 100;
const MAPPED = '::ffff:';

/** Where a connection has come to. */
export type CalledSocket = Pick<Socket, 'localAddress' | 'localPort'>;

/**
 * The addresses of this machine, without asking the system for each connection. What the system says is not all: an interface has no
 * addresses there until its carrier is known, a second after its first packets may have come.
 */
export class OwnNetwork {
  #addresses: ReadonlySet<string>;
  #readAt: number;
  readonly #timer: TimerHandle;

  /** @param port of the transparent listener */
  constructor(
    private readonly ports: Pick<Ports, 'clock' | 'timers'>,
    private readonly port: number,
    private readonly read: () => ReadonlySet<string> = readAddresses,
  ) {
    this.#addresses = read();
    this.#readAt = ports.clock.now();
    this.#timer = ports.timers.every(REFRESH_MS, () => this.#refresh());
  }

  /**
   * True for an address of an interface, and for all of loopback.
   * @param socket of a client that has called the address: whom an inbound connection is for must not depend on what was read last, since
   * it is for the local application then and obeys other policies
   */
  has(address: string, socket?: CalledSocket): boolean {
    if (isLoopback(address) || this.#addresses.has(address)) return true;
    const local = withoutPrefix(socket?.localAddress ?? '127.0.0.1');
    // REDIRECT of a local program's connection leads to loopback: the address is that of somebody else.
    if (isLoopback(local)) return false;
    // REDIRECT of what comes from outside leads to the interface where it came in. TPROXY leaves address and port as they were called.
    if (local === address && socket?.localPort === this.port) return true;
    if (this.ports.clock.now() - this.#readAt < SHORTEST_REFRESH_MS) return false;
    this.#refresh();
    return this.#addresses.has(address);
  }

  close(): void {
    this.#timer.cancel();
  }

  #refresh(): void {
    this.#addresses = this.read();
    this.#readAt = this.ports.clock.now();
  }
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** A listener of both families has IPv4 addresses in the form of IPv6. */
function withoutPrefix(address: string): string {
  return address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
}

function readAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address)));
}
