import type { Answer, Asked } from './http/listener.js';

/** Answered instead of what is right. */
export interface Failure extends Answer {
  /** Only these requests; all of them when left out. */
  readonly fits?: (asked: Asked) => boolean;
}

/** What a test does to the agent, and sees of it. */
export class Steering {
  /** Requests that came, oldest first. */
  readonly asked: Asked[] = [];
  /** Until it is taken away. */
  failure: Failure | undefined;
  /** False while its cluster elects a leader: what needs the catalog or the keys is answered 500. */
  hasLeader = true;
  /** Blocking queries that are held at the moment. */
  held = 0;
  readonly #changes = new Set<() => void>();
  readonly #waiting: (() => void)[] = [];
  #holds = false;

  /** Whether requests are taken in without an answer, as by an agent that hangs; setting it to false answers them. */
  get holdsAnswers(): boolean {
    return this.#holds;
  }

  set holdsAnswers(holds: boolean) {
    this.#holds = holds;
    if (!holds) for (const release of this.#waiting.splice(0)) release();
  }

  record(asked: Asked): void {
    this.asked.push(asked);
    this.changed();
  }

  /** Resolves once answers are given. */
  async mayAnswer(): Promise<void> {
    if (this.#holds) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Wakes everybody who waits. */
  changed(): void {
    for (const look of [...this.#changes]) look();
  }

  /** Resolves once `holds` does; looked at after every request, and when a blocking query is held or let go. */
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
