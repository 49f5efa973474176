import type { Ports, TimerHandle } from '../../ports/ports.js';
import type { Logger } from '../../telemetry/logger.js';
import type { SourceLayer } from '../layers/config-sources.js';
import type { ConfigSource, SourceSnapshot } from './config-source.js';

/** First pause after a failure; doubled with each further one. A server that restarts is back within seconds. */
const FIRST_RETRY_MS = 1_000;
/** Share of a pause that is left to chance, so that the sidecars of a mesh do not come back all at once. */
const JITTER = 0.3;

/** How a config source fares; for `/config`. */
export interface SourceState {
  readonly name: string;
  /** `waiting`: it has not answered yet. `retrying`: its last answer was a failure; what it said before still counts. */
  readonly state: 'waiting' | 'following' | 'retrying' | 'closed';
  /** Of the content that counts; undefined before the first. */
  readonly revision: string | undefined;
  /** Entries that it has: keys, and whole texts. */
  readonly keys: number;
  /** Wall-clock milliseconds of its last content. */
  readonly receivedAt: number | undefined;
  readonly lastError: string | undefined;
}

/**
 * Follows a config source for ever: what it said last counts until it says something else, however often it fails in between.
 * Failures are logged once per outage.
 */
export class SourceFollower {
  readonly #abort = new AbortController();
  #snapshot: SourceSnapshot | undefined;
  #state: SourceState['state'] = 'waiting';
  #receivedAt: number | undefined;
  #lastError: string | undefined;
  #failures = 0;
  #pause: { readonly timer: TimerHandle; readonly end: () => void } | undefined;
  readonly #answered: Promise<void>;
  #settle!: () => void;

  /**
   * @param maxRetryMs longest pause after failures
   * @param onSnapshot told of each new content
   */
  constructor(
    private readonly source: ConfigSource,
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly maxRetryMs: number,
    private readonly onSnapshot: () => void,
  ) {
    this.#answered = new Promise((resolve) => (this.#settle = resolve));
  }

  /** Begins to follow; to be called once. Resolves with the first content or the first failure, whichever comes first. */
  start(): Promise<void> {
    void this.#run();
    return this.#answered;
  }

  get state(): SourceState {
    return {
      name: this.source.name,
      state: this.#state,
      revision: this.#snapshot?.revision,
      keys: this.#snapshot?.entries.size ?? 0,
      receivedAt: this.#receivedAt,
      lastError: this.#lastError,
    };
  }

  /** What counts at the moment; undefined before the first content. */
  get layer(): SourceLayer | undefined {
    if (this.#snapshot === undefined) return undefined;
    const { entries, documents } = this.#snapshot;
    return { name: this.source.name, entries, ...(documents === undefined ? {} : { documents }) };
  }

  close(): void {
    this.#state = 'closed';
    this.#abort.abort();
    this.#endPause();
    this.#settle();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        for await (const snapshot of this.source.watch(signal)) this.#take(snapshot);
        if (!signal.aborted) throw new Error('it stopped answering');
      } catch (error) {
        if (signal.aborted) return;
        this.#fail(error);
      }
      if (!signal.aborted) await this.#rest();
    }
  }

  #take(snapshot: SourceSnapshot): void {
    if (this.#abort.signal.aborted) return;
    if (this.#failures > 0) {
      this.logger.info({ source: this.source.name, failures: this.#failures }, 'the config source answers again');
    }
    this.#failures = 0;
    this.#lastError = undefined;
    this.#state = 'following';
    this.#receivedAt = this.ports.clock.wallTime();
    const isNew = this.#snapshot?.revision !== snapshot.revision;
    this.#snapshot = snapshot;
    this.#settle();
    if (isNew) this.onSnapshot();
  }

  #fail(error: unknown): void {
    this.#lastError = error instanceof Error ? error.message : String(error);
    this.#state = this.#snapshot === undefined ? 'waiting' : 'retrying';
    if (this.#failures++ === 0) {
      const rest = this.#snapshot === undefined ? 'the files count alone' : 'what it said last still counts';
      this.logger.warn(
        { source: this.source.name, error: this.#lastError },
        `the config source does not answer: ${rest}; it is asked again and again`,
      );
    }
    this.#settle();
  }

  async #rest(): Promise<void> {
    const full = Math.min(FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 16), this.maxRetryMs);
    const ms = full * (1 - JITTER * this.ports.random.next());
    await new Promise<void>((resolve) => {
      this.#pause = { timer: this.ports.timers.after(ms, resolve), end: resolve };
    });
    this.#pause = undefined;
  }

  #endPause(): void {
    this.#pause?.timer.cancel();
    this.#pause?.end();
  }
}
