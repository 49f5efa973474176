import { createServer, type AddressInfo, type Server } from 'node:net';

/** Applications on loopback that accept connections, and say nothing. */
export class SilentApplications {
  readonly #servers: Server[] = [];

  /** @returns the port of one more */
  async open(): Promise<number> {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** Nobody accepts connections any more. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  }
}
