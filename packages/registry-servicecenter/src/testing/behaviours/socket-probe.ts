import { WebSocket } from 'ws';

/** A websocket of a client, with its frames in a queue. */
export class SocketProbe {
  readonly #frames: string[] = [];
  readonly #wanting: ((frame: string) => void)[] = [];
  /** Resolves with the code once the connection has ended; 1006 when there was none. */
  readonly closed: Promise<number>;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const frame = data.toString();
      const want = this.#wanting.shift();
      if (want === undefined) this.#frames.push(frame);
      else want(frame);
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.on('close', resolve));
  }

  /** @throws when the handshake is refused */
  static async open(url: string, headers: Record<string, string>): Promise<SocketProbe> {
    const socket = new WebSocket(url, { headers });
    const probe = new SocketProbe(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return probe;
  }

  /** The next frame. */
  async text(): Promise<string> {
    return this.#frames.shift() ?? (await new Promise<string>((resolve) => this.#wanting.push(resolve)));
  }

  async json(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.text()) as Record<string, unknown>;
  }

  /** Frames that came and were not taken. */
  get waiting(): number {
    return this.#frames.length;
  }

  /** Resolves with the pong to a ping. */
  async ping(): Promise<void> {
    const pong = new Promise<void>((resolve) => this.socket.once('pong', () => resolve()));
    this.socket.ping();
    await pong;
  }

  /** Resolves when the server pings. */
  async pinged(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.once('ping', () => resolve()));
  }

  close(): void {
    this.socket.terminate();
  }
}
