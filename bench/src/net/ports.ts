import { createServer } from 'node:net';

/** Below the range from which Linux takes source ports (32768 and up), so that no outgoing connection can sit on a port picked here. */
const FIRST_PORT = 20_000;
const LAST_PORT = 29_999;
const ATTEMPTS = 500;

/** Hands out ports of 127.0.0.1 that nothing listens on, each once. */
export class PortPicker {
  private next: number;

  constructor(seed: number = process.pid) {
    this.next = FIRST_PORT + ((seed * 37) % (LAST_PORT - FIRST_PORT));
  }

  /** @throws Error when no port could be had */
  async pick(): Promise<number> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const port = this.next;
      this.next = port === LAST_PORT ? FIRST_PORT : port + 1;
      if (await isFree(port)) return port;
    }
    throw new Error(`no free port between ${FIRST_PORT} and ${LAST_PORT} in ${ATTEMPTS} attempts`);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
  });
}
