import { createServer } from 'node:net';

/** Below the range from which systems take source ports, and apart from the ports of the demo and the bench. */
const FIRST_PORT = 11_000;
const LAST_PORT = 18_999;

/** Hands out ports that nothing listens on, on any address; each once. */
export class FreePorts {
  #next = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));

  /** @throws Error when all ports of the range are taken */
  async take(): Promise<number> {
    for (let tries = LAST_PORT - FIRST_PORT; tries > 0; tries--) {
      const port = this.#next;
      this.#next = port === LAST_PORT ? FIRST_PORT : port + 1;
      if (await canListen('0.0.0.0', port)) return port;
    }
    throw new Error(`no port between ${FIRST_PORT} and ${LAST_PORT} is free`);
  }
}

/** True when this process could listen there; port 0 asks about the address alone. */
export function canListen(host: string, port = 0): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
