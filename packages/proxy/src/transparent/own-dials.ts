import { isIP, type Socket } from 'node:net';
import { formatHostPort, type Endpoint } from '@mesher/core';

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

  /** Whether a connection from this port to there is one of this process. */
  has(localPort: number | undefined, destination: { readonly address: string; readonly port: number }): boolean {
    const { address: host, port } = destination;
    return this.#open?.has(`${localPort}>${formatHostPort({ host, port })}`) ?? false;
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
