import type { TimerHandle, Timers } from '@mesher/core';
import { networkInterfaces } from 'node:os';

/** Addresses come and go while a machine or a container starts, and hardly ever afterwards; reading them takes 0.1 ms. */
const REFRESH_MS = 5_000;

/** The addresses of this machine, without asking the system for each connection. */
export class OwnNetwork {
  #addresses: ReadonlySet<string>;
  readonly #timer: TimerHandle;

  constructor(
    timers: Timers,
    private readonly read: () => ReadonlySet<string> = readAddresses,
  ) {
    this.#addresses = read();
    this.#timer = timers.every(REFRESH_MS, () => (this.#addresses = this.read()));
  }

  /** True for an address of an interface, and for all of loopback. */
  has(address: string): boolean {
    return address.startsWith('127.') || address === '::1' || this.#addresses.has(address);
  }

  close(): void {
    this.#timer.cancel();
  }
}

function readAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address)));
}
