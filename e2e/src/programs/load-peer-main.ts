import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * Both ends of many connections and of large ones, for tests in network namespaces. It does what its one argument (JSON) says, and what it
 * reads from its standard input, and prints a line of JSON whenever something is done. It ends with its standard input.
 * - `{"role": "server", "ports": [...]}`: repeats what it gets
 * - `{"role": "many", "host", "ports", "connections"}`: opens as many connections, and says a word on each that must come back, and again
 *   at every line `again`; ends them at `end`
 * - `{"role": "flood-server", "port", "bytes", "reads"}`: sends and reads at once, and prints the digests of both
 * - `{"role": "flood", "host", "port", "bytes", "reads"}`: the other end of it
 *
 * With `reads: "late"` nothing is read before the line `read` comes.
 */
type Task =
  | { readonly role: 'server'; readonly ports: readonly number[] }
  | { readonly role: 'many'; readonly host: string; readonly ports: readonly number[]; readonly connections: number }
  | ({ readonly role: 'flood-server' } & Flood)
  | ({ readonly role: 'flood'; readonly host: string } & Flood);

interface Flood {
  readonly port: number;
  readonly bytes: number;
  readonly reads: 'at once' | 'late';
}

/** Handshakes under way at once. */
const LANES = 128;
const PIECE_BYTES = 1_048_573;
/** A sender that could send nothing for so long is stuck. */
const STUCK_MS = 400;

const lines = createInterface({ input: process.stdin });
lines.once('close', () => process.exit());

function report(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '::', backlog: 4096 }, resolve);
  });
}

async function serve(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => socket.write(bytes));
    });
    await listen(server, port);
  }
  report({ listening: ports.length });
}

/** One of many connections. */
class Talker {
  readonly #socket: Socket;
  #heard = '';
  #expected = '';
  #done: ((ok: boolean) => void) | undefined;
  closed = false;

  constructor(host: string, port: number, onLost: (why: string) => void, onClosed: () => void) {
    this.#socket = connect({ host, port });
    this.#socket.setEncoding('latin1').on('data', (text: string) => {
      this.#heard += text;
      if (this.#heard.length >= this.#expected.length) this.#settle(this.#heard === this.#expected);
    });
    this.#socket.on('error', (error: NodeJS.ErrnoException) => onLost(error.code ?? error.message));
    this.#socket.on('close', () => {
      this.closed = true;
      this.#settle(false);
      onClosed();
    });
  }

  say(word: string): Promise<boolean> {
    this.#heard = '';
    this.#expected = word;
    this.#socket.write(word);
    return new Promise((resolve) => (this.#done = resolve));
  }

  end(): void {
    this.#socket.end();
  }

  #settle(ok: boolean): void {
    this.#done?.(ok);
    this.#done = undefined;
  }
}

async function holdMany(host: string, ports: readonly number[], connections: number): Promise<void> {
  const talkers: Talker[] = [];
  const lost: string[] = [];
  let ended = false;
  let closed = 0;
  const onClosed = (): void => {
    closed++;
    if (!ended) lost.push('closed early');
    else if (closed === connections) report({ closed, lost: lost.length, why: lost.slice(0, 5) });
  };
  const inLanes = async (each: (index: number) => Promise<boolean>): Promise<number> => {
    let next = 0;
    let good = 0;
    const lane = async (): Promise<void> => {
      while (next < connections) if (await each(next++)) good++;
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return good;
  };
  const opened = await inLanes((index) => {
    const port = ports[index % ports.length] ?? 0;
    const talker = new Talker(host, port, (why) => lost.push(why), onClosed);
    talkers.push(talker);
    return talker.say(`first word of ${index}\n`);
  });
  report({ opened, lost: lost.length, why: lost.slice(0, 5) });
  lines.on('line', (line) => {
    if (line === 'again') {
      const again = inLanes((index) => talkers[index]?.say(`second word of ${index}\n`) ?? Promise.resolve(false));
      void again.then((exchanged) => report({ exchanged, lost: lost.length, why: lost.slice(0, 5) }));
    } else if (line === 'end') {
      ended = true;
      for (const talker of talkers) talker.end();
    }
  });
}

function flood(socket: Socket, { bytes, reads }: Flood): void {
  const piece = randomBytes(PIECE_BYTES);
  const sentDigest = createHash('sha256');
  const receivedDigest = createHash('sha256');
  let sent = 0;
  let received = 0;
  let isStuck: NodeJS.Timeout | undefined;
  let halves = 2;
  /** One direction is through. */
  const half = (): void => {
    if (--halves > 0) return;
    report({ sent, sentDigest: sentDigest.digest('hex'), received, receivedDigest: receivedDigest.digest('hex') });
  };
  const pump = (): void => {
    clearTimeout(isStuck);
    let more = true;
    while (more && sent < bytes) {
      const next = piece.subarray(0, bytes - sent);
      sentDigest.update(next);
      sent += next.length;
      more = socket.write(next);
    }
    if (sent >= bytes) socket.end(half);
    else {
      isStuck = setTimeout(() => report({ stuckAt: sent }), STUCK_MS);
      socket.once('drain', pump);
    }
  };
  socket.on('error', (error) => report({ failed: String(error) }));
  socket.on('end', half);
  const read = (): void => {
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      receivedDigest.update(chunk);
    });
  };
  if (reads === 'at once') read();
  else lines.on('line', (line) => line === 'read' && read());
  pump();
}

async function main(task: Task): Promise<void> {
  if (task.role === 'server') await serve(task.ports);
  else if (task.role === 'many') await holdMany(task.host, task.ports, task.connections);
  else if (task.role === 'flood-server') {
    await listen(
      createServer({ allowHalfOpen: true }, (socket) => flood(socket, task)),
      task.port,
    );
    report({ listening: 1 });
  } else {
    const socket = connect({ host: task.host, port: task.port, allowHalfOpen: true }, () => flood(socket, task));
    socket.on('error', () => process.exit(1));
  }
}

await main(JSON.parse(process.argv[2] ?? '{}') as Task);
