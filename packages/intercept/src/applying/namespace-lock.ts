import { connect, createServer, type Server, type Socket } from 'node:net';
import { within, type Timers } from '@mesher/core';

/**
 * In the abstract names of Unix sockets, of which each network namespace has its own as it has its own rules. The kernel forgets it with
 * the process, so that a crash leaves nothing behind.
 */
const NAME = '\0mesher-intercept';
/** Several times what applying takes. Whoever holds the name for longer, on purpose perhaps, does not keep others from their rules. */
const WAIT_MS = 15_000;
/** Turns without anybody to wait for after which the lock is done without. */
const MOST_TURNS = 1_000;

/**
 * Works while no other `mesher intercept` changes the rules of this network namespace: it reads what is there, and changes it according to
 * that, so two at once would write every rule twice.
 */
export async function aloneInNamespace<T>(timers: Timers, work: () => Promise<T>, waitMs = WAIT_MS): Promise<T> {
  const lock = new NamespaceLock();
  await within(timers, waitMs, lock.take());
  try {
    return await work();
  } finally {
    lock.release();
  }
}

class NamespaceLock {
  #server: Server | undefined;
  #isOver = false;
  readonly #waiting = new Set<Socket>();
  #holder: Socket | undefined;

  /** Resolves when it is ours, or cannot be had. */
  async take(): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      if ((await this.#listen()) || this.#isOver) return;
      await this.#holderEnded();
    }
  }

  release(): void {
    this.#isOver = true;
    this.#holder?.destroy();
    this.#server?.close();
    for (const socket of this.#waiting) socket.destroy();
  }

  /** @returns false when somebody else has it */
  #listen(): Promise<boolean> {
    return new Promise((resolve) => {
      const server = createServer((socket) => {
        this.#waiting.add(socket);
        socket.on('error', () => undefined).once('close', () => this.#waiting.delete(socket));
        socket.resume();
      });
      server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'EADDRINUSE'));
      server.listen(NAME, () => {
        if (this.#isOver) server.close();
        else this.#server = server;
        resolve(true);
      });
    });
  }

  /** The holder never says anything: that it lets go shows in the end of the connection. */
  #holderEnded(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(NAME);
      this.#holder = socket;
      socket.on('error', () => undefined).once('close', () => resolve());
      socket.resume();
    });
  }
}
