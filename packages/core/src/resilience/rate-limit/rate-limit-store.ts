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

/**
 * One place where shared limits are counted: asks it with a timeout, and leaves it alone for a while after it did not answer.
 */
export class LimitStore {
  #isUp = true;
  #restUntil = -Infinity;

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

  /** True when a store that did not answer may be tried again. */
  mayTry(now: number): boolean {
    return now >= this.#restUntil;
  }

  /** Rejects when the store does not answer in time, or answers with an error. */
  async take(limit: SharedLimit, count: number): Promise<SharedGrant> {
    const { clock, timers } = this.parts.ports;
    const requests = this.parts.metrics.counter('sharedLimiterRequests');
    let timer: TimerHandle | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = timers.after(this.options.timeout, () =>
        reject(new StoreTimeout(`no answer in ${this.options.timeout} ms`)),
      );
    });
    // Nobody else asks until this question is over: the next one waits as long as a store that is down is left alone.
    this.#restUntil = clock.now() + this.options.retryInterval;
    try {
      const grant = await Promise.race([this.limiter.take(limit, count), tooLate]);
      requests.add([this.name, 'answered']);
      this.#restUntil = -Infinity;
      this.#turn(true, undefined);
      return grant;
    } catch (error) {
      requests.add([this.name, error instanceof StoreTimeout ? 'timeout' : 'failed']);
      this.#restUntil = clock.now() + this.options.retryInterval;
      this.#turn(false, error);
      throw error;
    } finally {
      timer?.cancel();
    }
  }

  /** One log line per change, not per call. */
  #turn(isUp: boolean, error: unknown): void {
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
