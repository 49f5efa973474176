import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What a peer of a {@link RawPeer} may be waiting for: a piece of text, a pattern, or anything else about the bytes so far. */
export type Awaited = string | RegExp | ((received: Buffer) => boolean);

/** One end of a connection as bytes: everything that came is kept, and a test waits for it by event, never by time. */
export class RawPeer {
  #received: Buffer[] = [];
  #length = 0;
  #ended = false;
  #closed = false;
  #error: NodeJS.ErrnoException | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#length += chunk.length;
      this.#wake();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on('error', (error) => {
      this.#error = error;
      this.#wake();
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** All bytes so far. */
  get received(): Buffer {
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)];
    return this.#received[0] ?? Buffer.alloc(0);
  }

  /** All bytes so far, one char per byte. */
  get text(): string {
    return this.received.toString('latin1');
  }

  /** How many bytes have come; cheap, unlike {@link received}. */
  get length(): number {
    return this.#length;
  }

  /** The other side has ended its direction. */
  get ended(): boolean {
    return this.#ended;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Why the connection broke, for example ECONNRESET; undefined after a clean end. */
  get error(): NodeJS.ErrnoException | undefined {
    return this.#error;
  }

  /** @param data text is written with one byte per char */
  write(data: string | Uint8Array): boolean {
    return typeof data === 'string' ? this.socket.write(data, 'latin1') : this.socket.write(data);
  }

  /**
   * Writes byte by byte (or in pieces of `size`). Between two pieces the event loop turns often enough for a server in this
   * process to accept and read, so each piece arrives on its own unless the kernel is very busy.
   */
  async writePieces(data: string | Uint8Array, size = 1): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    await turnEventLoop();
    for (let i = 0; i < bytes.length && !this.closed; i += size) {
      this.socket.write(bytes.subarray(i, i + size));
      await turnEventLoop();
    }
  }

  /** Ends our direction and keeps reading. */
  end(data?: string | Uint8Array): void {
    if (data !== undefined) this.write(data);
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Closes with a RST instead of a FIN. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /**
   * Waits for what is wanted among all bytes received so far.
   * @returns the bytes so far, one char per byte
   * @throws Error when the connection ends before
   */
  async readUntil(wanted: Awaited): Promise<string> {
    const test = matcher(wanted);
    await this.#until(() => test(this.received) || this.#ended || this.#closed);
    if (!test(this.received)) {
      throw new Error(`the connection ended before ${String(wanted)} came; it sent ${JSON.stringify(this.text)}`);
    }
    return this.text;
  }

  /**
   * Waits for that many bytes.
   * @throws Error when the connection ends before
   */
  async awaitLength(length: number): Promise<void> {
    await this.#until(() => this.#length >= length || this.#ended || this.#closed);
    if (this.#length < length) throw new Error(`the connection ended after ${this.#length} of ${length} bytes`);
  }

  /** Waits until the other side has ended its direction, or the connection is gone. */
  async awaitEnd(): Promise<Buffer> {
    await this.#until(() => this.#ended || this.#closed);
    return this.received;
  }

  /** Waits until the connection is closed both ways; a reset counts, see {@link error}. */
  async awaitClose(): Promise<Buffer> {
    await this.#until(() => this.#closed);
    return this.received;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** A client that sends exactly the bytes it is told to. */
export class RawClient extends RawPeer {
  /** Connects to 127.0.0.1 unless told otherwise; our side stays open when the other one ends. */
  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawClient(socket);
  }
}

/** Three turns: the first may end before the poll phase, the second polls, the third runs what the poll has set off. */
async function turnEventLoop(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export interface RawUpstream {
  readonly port: number;
  /** Every connection that was accepted, in order. */
  readonly connections: RawPeer[];
  /** Bytes received on all connections together. */
  readonly receivedBytes: number;
  /** Waits until that many connections have been accepted, and gives the last of them. */
  awaitConnection(count?: number): Promise<RawPeer>;
  close(): Promise<void>;
}

/** A server on 127.0.0.1 that records every byte; `onConnection` says what it does about them. */
export async function startRawUpstream(
  onConnection: (peer: RawPeer, index: number) => void = () => {},
): Promise<RawUpstream> {
  const connections: RawPeer[] = [];
  const waiting = new Set<() => void>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const peer = new RawPeer(socket);
    connections.push(peer);
    onConnection(peer, connections.length - 1);
    for (const wake of [...waiting]) wake();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    get receivedBytes(): number {
      return connections.reduce((sum, peer) => sum + peer.received.length, 0);
    },
    async awaitConnection(count = 1): Promise<RawPeer> {
      while (connections.length < count) {
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
      return connections[count - 1];
    },
    async close(): Promise<void> {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const peer of connections) peer.destroy();
      await closed;
    },
  };
}

/**
 * Sends bytes on a new connection and collects what comes back until the other side closes; a reset ends it, too.
 * @param options `endAfter`: end our direction after the bytes
 */
export async function rawRequest(
  port: number,
  bytes: string | Uint8Array,
  options: { readonly endAfter?: boolean } = {},
): Promise<Buffer> {
  const client = await RawClient.connect(port);
  client.write(bytes);
  if (options.endAfter === true) client.end();
  await client.awaitEnd();
  client.end();
  await client.awaitClose();
  return client.received;
}

function matcher(wanted: Awaited): (received: Buffer) => boolean {
  if (typeof wanted === 'function') return wanted;
  if (typeof wanted === 'string') return (received) => received.includes(wanted, 0, 'latin1');
  return (received) => wanted.test(received.toString('latin1'));
}

/**
 * Lets `peer` answer each request head that comes (requests without bodies) with what `answer` gives for it; undefined leaves it
 * without an answer.
 */
export function answerEach(peer: RawPeer, answer: (head: string, index: number) => string | undefined): void {
  let answered = 0;
  peer.socket.on('data', () => {
    const heads = peer.text.split('\r\n\r\n').slice(0, -1);
    for (; answered < heads.length; answered++) {
      const text = answer(`${heads[answered]}\r\n\r\n`, answered);
      if (text !== undefined) peer.write(text);
    }
  });
}

/** A whole answer with a body of that text, and a Content-Length. */
export function answerOf(body: string, head = 'HTTP/1.1 200 OK\r\n'): string {
  return `${head}Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`;
}
