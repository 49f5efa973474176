import { connect, createServer, type Socket } from 'node:net';
import {
  FIRST_PORT,
  HALF_CLOSE_CASES,
  inFlight,
  openingWords,
  type HalfCloseCase,
  type Observation,
} from '../support/half-close-cases.js';

/**
 * One side of every conversation of support/half-close-cases.ts: `half-close-main.js server`, or `half-close-main.js client HOST`. Prints
 * an observation per line, the server `listening` before; the client ends when all are over.
 */
const LANES = 24;
/** Says that everything has come, where neither side ends. */
const DONE = Buffer.from('done');

/** One side of one conversation. */
class Side {
  readonly #case: HalfCloseCase;
  readonly #own: Buffer;
  readonly #awaited: Buffer;
  readonly #theirOpening: Buffer;
  #head: Buffer = Buffer.alloc(0);
  #isOpen = false;
  #received = 0;
  #isIntact = true;
  #isOver = false;

  constructor(
    private readonly socket: Socket,
    private readonly index: number,
    private readonly side: 'client' | 'server',
    private readonly onOver: () => void,
  ) {
    this.#case = HALF_CLOSE_CASES[index] as HalfCloseCase;
    const other = side === 'client' ? 'server' : 'client';
    const last = this.#case.ender === 'neither' ? DONE : Buffer.alloc(0);
    this.#own = Buffer.concat([inFlight(this.#case, side), last]);
    this.#awaited = Buffer.concat([inFlight(this.#case, other), last]);
    const words = openingWords(this.#case);
    this.#theirOpening = words[other];
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => this.#over('reset'));
    socket.on('close', () => this.#over('reset'));
    if (this.#speaksFirst) socket.write(words[side]);
  }

  get #speaksFirst(): boolean {
    return (this.side === 'server') === (this.#case.opening === 'server first');
  }

  #onData(chunk: Buffer): void {
    let rest = chunk;
    if (!this.#isOpen) {
      this.#head = Buffer.concat([this.#head, chunk]);
      const expected = this.#theirOpening.length;
      if (this.#head.length < expected) return;
      if (!this.#head.subarray(0, expected).equals(this.#theirOpening)) this.#isIntact = false;
      rest = this.#head.subarray(expected);
      this.#isOpen = true;
      if (!this.#speaksFirst) this.socket.write(openingWords(this.#case)[this.side]);
      this.#converse();
    }
    if (rest.length === 0) return;
    const expected = this.#awaited.subarray(this.#received, this.#received + rest.length);
    if (!rest.equals(expected)) this.#isIntact = false;
    this.#received += rest.length;
    if (this.#case.ender === 'neither' && this.#received >= this.#awaited.length) this.#over('open');
  }

  /** Both have said their opening: what is in flight, and the end. */
  #converse(): void {
    const { ender, ending } = this.#case;
    if (this.#own.length > 0) this.socket.write(this.#own);
    if (ender !== 'both' && ender !== this.side) return;
    if (ending === 'end') this.socket.end();
    else {
      this.#over('own reset');
      this.socket.resetAndDestroy();
    }
  }

  #onEnd(): void {
    // A reset right behind data is reported as an end; the next call on the socket tells.
    if (this.socket.writable) this.socket.write('');
    setImmediate(() => {
      if (this.#isOver) return;
      if (this.socket.errored !== null) {
        this.#over('reset');
        return;
      }
      this.#over('end');
      this.socket.end();
    });
  }

  #over(ended: Observation['ended']): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const isReset = this.#case.ending === 'reset';
    const observation: Observation = {
      case: this.index,
      side: this.side,
      received: isReset ? 'a part' : this.#received,
      isIntact: this.#isIntact,
      ended,
    };
    process.stdout.write(`${JSON.stringify(observation)}\n`);
    this.onOver();
  }
}

async function serve(): Promise<void> {
  await Promise.all(
    HALF_CLOSE_CASES.map(
      (_, index) =>
        new Promise<void>((resolve) => {
          const server = createServer({ allowHalfOpen: true }, (socket) => {
            new Side(socket, index, 'server', () => undefined);
          });
          server.listen({ port: FIRST_PORT + index, host: '::' }, resolve);
        }),
    ),
  );
  process.stdout.write('listening\n');
}

async function call(host: string): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < HALF_CLOSE_CASES.length) {
      const index = next++;
      await new Promise<void>((resolve) => {
        const socket = connect({ host, port: FIRST_PORT + index, allowHalfOpen: true });
        new Side(socket, index, 'client', resolve);
      });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  process.stdout.write('all over\n');
}

process.stdin.resume().once('end', () => process.exit());
const [role, host = ''] = process.argv.slice(2);
await (role === 'server' ? serve() : call(host));
