import type { Asked, RawAnswer } from './http/listener.js';

/** What a test does to the server, and sees of it. */
export class Steering {
  /** Requests that came, oldest first; upgrades to a websocket are among them. */
  readonly asked: Asked[] = [];
  /** Answered instead of what is right, also to a websocket, until it is taken away. */
  failure: RawAnswer | undefined;
  readonly #changes = new Set<() => void>();
  readonly #held: (() => void)[] = [];
  #holds = false;

  /** Whether requests are taken in without an answer, as by a server that hangs; setting it to false answers them. */
  get holdsAnswers(): boolean {
    return this.#holds;
  }

  set holdsAnswers(holds: boolean) {
    this.#holds = holds;
    if (!holds) for (const release of this.#held.splice(0)) release();
  }

  record(asked: Asked): void {
    this.asked.push(asked);
    this.changed();
  }

  /** Resolves once answers are given. */
  async mayAnswer(): Promise<void> {
    if (this.#holds) await new Promise<void>((resolve) => this.#held.push(resolve));
  }

  /** Wakes everybody who waits. */
  changed(): void {
    for (const look of [...this.#changes]) look();
  }

  /** Resolves once `holds` does; looked at after every request and whenever a websocket comes or goes. */
  async until(holds: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#changes.delete(look);
        resolve();
      };
      this.#changes.add(look);
      look();
    });
  }
}
