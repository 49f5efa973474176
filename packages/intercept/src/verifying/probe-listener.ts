import { createServer, type Server, type Socket } from 'node:net';
import { within, type Timers } from '@mesher/core';

/** Takes the place of the sidecar while it does not run, and remembers who came. */
export class ProbeListener {
  readonly #visitors = new Set<number>();
  readonly #waiting = new Map<number, () => void>();

  private constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      const port = socket.remotePort ?? 0;
      this.#visitors.add(port);
      this.#waiting.get(port)?.();
      socket.on('error', () => undefined);
      socket.end();
    });
  }

  /** @returns undefined when the port is in use: the sidecar runs */
  static async open(port: number, prepare: (server: Server) => void): Promise<ProbeListener | undefined> {
    const server = createServer();
    try {
      await listen(server, port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
      throw error;
    }
    prepare(server);
    return new ProbeListener(server);
  }

  /** Whether a connection from this port arrives in time; both ways of interception keep the port of the client. */
  async sees(clientPort: number, timeoutMs: number, timers: Timers): Promise<boolean> {
    if (this.#visitors.has(clientPort)) return true;
    return await within(timers, timeoutMs, new Promise<void>((seen) => this.#waiting.set(clientPort, seen)));
  }

  close(): void {
    this.server.close();
  }
}

/** On all addresses of both families, or of IPv4 where there is no other. */
async function listen(server: Server, port: number): Promise<void> {
  try {
    await listenOn(server, port, '::');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    await listenOn(server, port, '0.0.0.0');
  }
}

function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
