import type { InstanceStatus, Lease, Logger, Ports, TimerHandle } from '@mesher/core';

/** A wait is at least this part of its limit, so that chance never makes a busy loop. */
const LEAST_PART = 0.1;
/** Doublings after which a wait no longer grows, so that the power stays a number that can be computed with. */
const MAX_DOUBLINGS = 20;

export interface PublishOptions {
  /** How long one attempt may take. */
  readonly timeoutMs: number;
  readonly firstWaitMs: number;
  readonly mostWaitMs: number;
}

/**
 * Tells the registry the status of this instance, again and again until it takes it. Of several statuses only the latest is sent. That a
 * status holds when the instance is registered again is the promise of the lease.
 */
export class StatusPublisher {
  #lease: Lease | undefined;
  #wanted: InstanceStatus | undefined;
  #published: InstanceStatus | undefined;
  #isBusy = false;
  #isStopped = false;
  #failuresInARow = 0;
  #failures = 0;
  #timer: TimerHandle | undefined;

  /** @param options asked for whenever they are needed: they may change */
  constructor(
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly options: () => PublishOptions,
  ) {}

  /** Attempts that failed, since the start. */
  get failures(): number {
    return this.#failures;
  }

  /** What the registry shows, as far as is known. */
  get published(): InstanceStatus | undefined {
    return this.#published;
  }

  /** The instance is registered, with `status`. */
  follow(lease: Lease, status: InstanceStatus): void {
    this.#lease = lease;
    this.#published = status;
    this.#wanted ??= status;
    this.#publish();
  }

  /** From now on the instance has this status. */
  want(status: InstanceStatus): void {
    if (this.#wanted === status) return;
    this.#wanted = status;
    // News are worth an attempt of their own: the wait was meant for the status before.
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#publish();
  }

  /** Says nothing any more: the instance leaves. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #publish(): void {
    const status = this.#wanted;
    if (this.#lease === undefined || status === undefined || status === this.#published) return;
    if (this.#isBusy || this.#isStopped || this.#timer !== undefined) return;
    this.#isBusy = true;
    const lease = this.#lease;
    void this.#attempt(lease, status).then((problem) => {
      this.#isBusy = false;
      if (this.#isStopped) return;
      // The instance was registered anew meanwhile: what became of the registration before is of no interest.
      if (lease !== this.#lease) return this.#publish();
      if (problem === undefined) this.#taken(status);
      else this.#failed(status, problem);
    });
  }

  #taken(status: InstanceStatus): void {
    this.#published = status;
    this.#failuresInARow = 0;
    this.logger.info({ status }, `the registry shows this instance as ${status}`);
    this.#publish();
  }

  #failed(status: InstanceStatus, problem: string): void {
    this.#failures++;
    // A status that was under way when the attempt ended may still arrive, so what the registry shows is not known any more.
    this.#published = undefined;
    const { firstWaitMs, mostWaitMs } = this.options();
    const limit = Math.min(mostWaitMs, firstWaitMs * 2 ** Math.min(this.#failuresInARow++, MAX_DOUBLINGS));
    const wait = limit * Math.max(LEAST_PART, this.ports.random.next());
    this.logger.warn(
      { status, waitMs: Math.round(wait) },
      `the registry did not take the status ${status}: ${problem}`,
    );
    this.#timer = this.ports.timers.after(wait, () => {
      this.#timer = undefined;
      this.#publish();
    });
  }

  /** @returns what went wrong; undefined when the registry took it */
  async #attempt(lease: Lease, status: InstanceStatus): Promise<string | undefined> {
    let timer: TimerHandle | undefined;
    const tooLate = new Promise<string>((resolve) => {
      timer = this.ports.timers.after(this.options().timeoutMs, () => resolve('it did not answer in time'));
    });
    const sent = (async () => await lease.setStatus(status))().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    const problem = await Promise.race([sent, tooLate]);
    timer?.cancel();
    return problem;
  }
}
