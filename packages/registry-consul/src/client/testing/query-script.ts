import { fakePorts, settle } from '@mesher/core/testing';
import type { Indexed } from '../blocking-answer.js';
import { followQuery, type BlockingQuery, type Pace, type Question } from '../blocking-query.js';
import { ConsulError } from '../consul-error.js';

const PACE: Pace = { waitMs: 30_000, intervalMs: 1_000 };
const PAUSES = { minRetryDelay: 500, maxRetryDelay: 30_000, reconnectSpread: 15_000, readRate: 1_000_000 };

/** A Consul that answers what it is told to, one question after the other. */
export class QueryScript implements BlockingQuery<string> {
  readonly questions: (Question & { readonly at: number })[] = [];
  readonly taken: string[] = [];
  readonly failures: number[] = [];
  readonly end = new AbortController();
  pace: () => Pace = () => PACE;
  #answer: ((answer: Indexed<string>) => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;
  readonly done: Promise<void>;

  constructor(readonly ports = fakePorts()) {
    this.end.signal.addEventListener('abort', () => this.#fail?.(new Error('aborted')));
    this.done = followQuery(this, this.ports, PAUSES, this.end.signal);
  }

  ask(question: Question): Promise<Indexed<string>> {
    this.questions.push({ ...question, at: this.ports.time.now() });
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
    });
  }

  take({ content }: Indexed<string>): void {
    if (content === 'nonsense') throw new ConsulError('CONSUL_ANSWER', content);
    this.taken.push(content);
  }

  onTrouble(_error: unknown, failures: number): void {
    this.failures.push(failures);
  }

  async answer(index: bigint, content = `at ${index}`, bytes = 0): Promise<void> {
    await settle();
    this.#answer?.({ index, content, hasLeader: true, isFiltered: false, isStreamed: false, bytes });
    await settle();
  }

  async fail(error: unknown = new ConsulError('CONSUL_UNREACHABLE', 'no')): Promise<void> {
    await settle();
    this.#fail?.(error);
    await settle();
  }

  get last(): (Question & { readonly at: number }) | undefined {
    return this.questions.at(-1);
  }
}
