import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** The state of a limit, as the script keeps it. */
interface Bucket {
  tokens: number;
  at: number;
}

/** Refuses a command with an error reply. */
class Refusal extends Error {}

/**
 * As much of a Redis server as the limiter speaks to, on a real socket: RESP 2, EVALSHA with NOSCRIPT, AUTH, and moods in which it
 * falls silent. It does not run the script but does what the script does, on a clock that a test moves; the script itself is
 * tested against a real server.
 */
export class FakeRedis {
  readonly commands: string[][] = [];
  readonly keys = new Map<string, Bucket>();
  password: string | undefined = undefined;
  isSilent = false;
  /** Milliseconds of the server's own clock. */
  now = 1_700_000_000_000;
  connections = 0;
  readonly #scripts = new Set<string>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(private readonly shaOf: (script: string) => string) {}

  get port(): number {
    return (this.#server?.address() as AddressInfo).port;
  }

  async start(port = 0): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  }

  /** Ends all connections and listens no longer. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  forgetScripts(): void {
    this.#scripts.clear();
  }

  /** Names of the commands that came, those of the connection itself left out. */
  get asked(): string[] {
    return this.commands.map(([name = '']) => name).filter((name) => name.startsWith('EVAL'));
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    let isKnown = this.password === undefined;
    let received = '';
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      for (;;) {
        const read = readCommand(received);
        if (read === undefined) return;
        received = received.slice(read.length);
        this.commands.push(read.words);
        if (this.isSilent) continue;
        try {
          if (read.words[0] === 'AUTH') {
            if (read.words.at(-1) !== this.password) throw new Refusal('WRONGPASS invalid username-password pair');
            isKnown = true;
          } else if (!isKnown) throw new Refusal('NOAUTH Authentication required.');
          socket.write(this.#answer(read.words));
        } catch (error) {
          socket.write(`-${(error as Error).message}\r\n`);
        }
      }
    });
  }

  #answer([name = '', script = '', , key = '', rate, burst, count]: readonly string[]): string {
    if (name === 'EVAL') this.#scripts.add(this.shaOf(script));
    else if (name === 'EVALSHA') {
      if (!this.#scripts.has(script)) throw new Refusal('NOSCRIPT No matching script. Please use EVAL.');
    } else return '+OK\r\n';
    return this.#take(key, Number(rate), Number(burst), Number(count));
  }

  #take(key: string, rate: number, burst: number, asked: number): string {
    const bucket = this.keys.get(key) ?? { tokens: burst, at: this.now };
    const tokens = Math.min(burst, bucket.tokens + (Math.max(0, this.now - bucket.at) * rate) / 1000);
    const granted = Math.min(asked, Math.floor(tokens));
    const left = tokens - granted;
    this.keys.set(key, { tokens: left, at: this.now });
    const wait = granted < asked ? Math.ceil(((1 - left) * 1000) / rate) : 0;
    return `*3\r\n:${granted}\r\n:${Math.floor(left)}\r\n:${wait}\r\n`;
  }
}

/** The first command of a text in RESP, and how many characters it takes; undefined when it is not whole yet. */
function readCommand(text: string): { words: string[]; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  let at = head[0].length;
  const words: string[] = [];
  for (let left = Number(head[1]); left > 0; left--) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (size === null) return undefined;
    at += size[0].length;
    const length = Number(size[1]);
    if (text.length < at + length + 2) return undefined;
    words.push(text.slice(at, at + length));
    at += length + 2;
  }
  return { words, length: at };
}
