import { isIP, type Socket } from 'node:net';
import { formatHostPort, type Endpoint } from '@mesher/core';

/**
 * Matches that make a loop, less those connections without one. One match is no proof: when two connections of the application
 * have one source port, to different destinations, REDIRECT gives the second another port, which may be that of a connection of ours to
 * the same destination (measured: 40 of 10,000 connections at once). A loop is matches, and nothing else but what feeds it.
 */
const MATCHES_OF_A_LOOP = 4;

/**
 * The open connections that this process has begun, so that one which the rules bring back to it is known for what it is. That happens to
 * a sidecar that does not run as the user or group that the rules leave alone: each connection would dial the next one, until no
 * file descriptors are left (measured: ten thousand from one call).
 *
 * Costs 2 us per dialled connection, and nothing before a transparent listener has asked for it.
 */
export class OwnDials {
  /** `local port > destination`; undefined while nobody asks. The port alone may be that of another program's connection elsewhere. */
  #open: Set<string> | undefined;
  #matches = 0;

  /** From now on dials are kept. */
  keep(): void {
    this.#open ??= new Set();
  }

  /** Called right after `socket.connect()`. */
  begun(socket: Socket, endpoint: Endpoint): void {
    // A name is looked up first. Its connection is not known here; that which it causes when it comes back is, as it goes to an address.
    if (this.#open === undefined || isIP(endpoint.host) === 0) return;
    // Node connects in the next tick, and the kernel gives the port then.
    process.nextTick(this.#note, socket, endpoint.key);
  }

  /** To be asked once about each connection that was brought here. @returns whether it is one of this process, which has come back */
  isLoop(
    localPort: number | undefined,
    { address: host, port }: { readonly address: string; readonly port: number },
  ): boolean {
    if (this.#open?.has(`${localPort}>${formatHostPort({ host, port })}`) !== true) {
      this.#matches = Math.max(0, this.#matches - 1);
      return false;
    }
    this.#matches = Math.min(this.#matches + 1, MATCHES_OF_A_LOOP);
    return this.#matches === MATCHES_OF_A_LOOP;
  }

  readonly #note = (socket: Socket, destination: string): void => {
    const { localPort } = socket;
    const open = this.#open;
    // It has failed already.
    if (open === undefined || localPort === undefined || socket.destroyed) return;
    const key = `${localPort}>${destination}`;
    open.add(key);
    socket.once('close', () => open.delete(key));
  };
}
