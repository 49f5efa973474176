import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An application in this process, whose health a test decides. */
export class Patient {
  /** Status of `/health`; the rest of the application goes on working. */
  health = 200;
  /** Answers of `/health` with another status than 200. */
  failures = 0;
  readonly #server: Server;

  /** @param body of every answer */
  constructor(body = 'world') {
    this.#server = createServer((request, response) => {
      const status = request.url === '/health' ? this.health : 200;
      if (status !== 200) this.failures++;
      response.writeHead(status).end(body);
    });
  }

  /** @returns its port on 127.0.0.1 */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
