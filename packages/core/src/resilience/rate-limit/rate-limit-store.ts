import type { Ports, TimerHandle } from '../../ports/ports.js';
import type { Logger } from '../../telemetry/logger.js';
import type { PolicyMetrics } from '../../telemetry/policy-metrics.js';
import type { SharedLimitOptions } from './rate-limit-options.js';
import type { SharedGrant, SharedLimit, SharedLimiter } from './shared-limiter.js';

/** What a {@link LimitStore} is made with. */
export interface LimitStoreParts {
  readonly ports: Ports;
  readonly logger: Logger;
  readonly metrics: PolicyMetrics;
}

class StoreTimeout extends Error {}

/** Longest wait for the first answer: to load what the store needs and to connect takes longer than a question. */
const FIRST_ANSWER_MS = 1_000;

/** Of no use to anybody: asked for nothing, to see whether the store answers. No configured limit has such a name. */
const NO_LIMIT: SharedLimit = { key: '(is anybody there)', rate: 1, burst: 1 };

/**
 * One place where shared limits are counted: asks it with a timeout. After it did not answer, calls leave it alone; it is asked now
 * and then, until it does.
 */
export class LimitStore {
  #isUp = true;
  #isClosed = false;
  #nextTry: TimerHandle | undefined;

  constructor(
    readonly name: string,
    private readonly limiter: SharedLimiter,
    public options: SharedLimitOptions,
    private readonly parts: LimitStoreParts,
  ) {}

  /** False after it did not answer, until it does again. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Lets the store get ready before the first call needs it. Resolves when it is, or did not become so in time; never rejects. */
  async open(): Promise<void> {
    await this.#try(Math.max(FIRST_ANSWER_MS, this.options.timeout));
  }

  /** Does not ask by itself any more. */
  close(): void {
    this.#isClosed = true;
    this.#nextTry?.cancel();
  }

  /** Rejects when the store does not answer in time, or answers with an error. */
  async take(limit: SharedLimit, count: number): Promise<SharedGrant> {
    return await this.#ask(limit, count, this.options.timeout);
  }

  async #try(timeout: number): Promise<void> {
    await this.#ask(NO_LIMIT, 0, timeout).catch(() => undefined);
  }

  async #ask(limit: SharedLimit, count: number, timeout: number): Promise<SharedGrant> {
    const requests = this.parts.metrics.counter('sharedLimiterRequests');
    let timer: TimerHandle | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = this.parts.ports.timers.after(timeout, () => reject(new StoreTimeout(`no answer in ${timeout} ms`)));
    });
    try {
      const grant = await Promise.race([this.limiter.take(limit, count), tooLate]);
      requests.add([this.name, 'answered']);
      this.#turn(true, undefined);
      return grant;
    } catch (error) {
      requests.add([this.name, error instanceof StoreTimeout ? 'timeout' : 'failed']);
      this.#turn(false, error);
      throw error;
    } finally {
      timer?.cancel();
    }
  }

  #turn(isUp: boolean, error: unknown): void {
    if (this.#isClosed) return;
    this.#nextTry?.cancel();
    if (!isUp) {
      const { retryInterval, timeout } = this.options;
      this.#nextTry = this.parts.ports.timers.after(retryInterval, () => void this.#try(timeout));
    }
    this.#report(isUp, error);
  }

  /** One log line per change, not per call. */
  #report(isUp: boolean, error: unknown): void {
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    const { logger } = this.parts;
    const { name, options } = this;
    if (isUp) logger.info({ limiter: name }, `the shared limiter ${name} answers again`);
    else {
      logger.warn(
        { limiter: name, error },
        `the shared limiter ${name} does not answer; until it does, its limits are decided by '${options.onFailure}' (mesher.rateLimit.shared.onFailure)`,
      );
    }
  }
}
