import { createSocket, type Socket } from 'node:dgram';
import { readJaegerDatagram } from './read-jaeger.js';
import type { CollectedSpan } from './collector-double.js';

/** An agent of Jaeger in this process: spans over UDP. */
export class AgentDouble {
  readonly spans: CollectedSpan[] = [];
  /** Lengths of the datagrams that came. */
  readonly sizes: number[] = [];
  #tell: (() => void)[] = [];

  private constructor(
    private readonly socket: Socket,
    readonly port: number,
  ) {
    socket.on('message', (datagram) => {
      this.sizes.push(datagram.length);
      this.spans.push(...readJaegerDatagram(datagram));
      for (const tell of this.#tell.splice(0)) tell();
    });
  }

  static async start(port = 0, address = '127.0.0.1'): Promise<AgentDouble> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, address, resolve);
    });
    return new AgentDouble(socket, socket.address().port);
  }

  get uri(): string {
    return `udp://127.0.0.1:${this.port}`;
  }

  /** Resolves with all spans as soon as there are so many. */
  async atLeast(count: number): Promise<readonly CollectedSpan[]> {
    while (this.spans.length < count) await new Promise<void>((resolve) => this.#tell.push(resolve));
    return this.spans;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.socket.close(() => resolve()));
  }
}
