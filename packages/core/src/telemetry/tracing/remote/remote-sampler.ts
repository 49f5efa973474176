import type { Ports, TimerHandle } from '../../../ports/ports.js';
import type { Logger } from '../../logger.js';
import { makeSampler, type Sampler } from '../samplers.js';
import { samplerFor } from './operation-sampler.js';
import { parseStrategy } from './sampling-strategy.js';

/** How long a server may take to answer, in milliseconds: as long as Jaeger's clients wait. */
const ANSWER_MS = 10_000;
/** The pause after the first failure; each further one lasts twice as long, up to the interval between two questions. */
const FIRST_PAUSE_MS = 1_000;

/** Fetches an answer; the production one is `askSamplingServer`. */
export type Ask = (url: URL, service: string, signal: AbortSignal) => Promise<string>;

export interface RemoteSamplerOptions {
  /** `/sampling` of an agent (port 5778), `/api/sampling` of a collector (port 14268). */
  readonly url: URL;
  readonly service: string;
  /** Share of traces that is recorded until the server has answered for the first time. */
  readonly initialShare: number;
  readonly refreshMs: number;
  readonly maxOperations: number;
}

/** Asks a server of Jaeger, again and again, what is sampled. While it does not answer, what it has said last holds. */
export class RemoteSampler implements Sampler {
  #current: Sampler;
  #text = '';
  #failures = 0;
  #timer: TimerHandle | undefined;
  #asking: AbortController | undefined;
  #isStopped = true;

  constructor(
    private readonly parts: { readonly ports: Ports; readonly logger: Logger; readonly ask?: Ask },
    private readonly options: RemoteSamplerOptions,
  ) {
    this.#current = makeSampler('probabilistic', options.initialShare);
  }

  get byOperation(): boolean {
    return this.#current.byOperation === true;
  }

  decide(traceId: string, now: number, operation: string): boolean {
    return this.#current.decide(traceId, now, operation);
  }

  /** Begins to ask. Idempotent. */
  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    void this.#refresh();
  }

  /** Ends what is under way. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#asking?.abort(new Error('no longer asked'));
  }

  /** Never rejects. */
  async #refresh(): Promise<void> {
    const { ports, logger } = this.parts;
    const { url, service, refreshMs, maxOperations } = this.options;
    try {
      const text = await this.#ask(url, service);
      if (this.#isStopped) return;
      // A limit per second would begin anew with each answer.
      if (text !== this.#text) {
        const strategy = parseStrategy(text);
        this.#current = samplerFor(strategy, maxOperations);
        this.#text = text;
        logger.info({ url: url.href, strategy: strategy.kind }, 'the sampling server has said what is recorded');
      }
      this.#failures = 0;
    } catch (error) {
      if (this.#isStopped) return;
      if (this.#failures++ === 0) {
        logger.warn({ url: url.href, error }, 'the sampling server cannot be asked; what held until now goes on');
      }
    }
    const pause = this.#failures === 0 ? refreshMs : Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), refreshMs);
    this.#timer = ports.timers.after(pause, () => void this.#refresh());
  }

  async #ask(url: URL, service: string): Promise<string> {
    const asking = new AbortController();
    this.#asking = asking;
    const timer = this.parts.ports.timers.after(ANSWER_MS, () =>
      asking.abort(new Error(`no answer within ${ANSWER_MS} ms`)),
    );
    try {
      // The HTTP client is loaded where a server is asked.
      const ask = this.parts.ask ?? (await import('./ask-sampling-server.js')).askSamplingServer;
      return await ask(url, service, asking.signal);
    } finally {
      timer.cancel();
    }
  }
}
