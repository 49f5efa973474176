import type { Judgement } from './breaker-outcomes.js';

/** A call that was let through to see whether the service works again. */
export class Probe {
  /** It has ended, or belongs to a round that is over. */
  over = false;
  /** Its answer has begun, and may last for hours: unless it fails before its lease is over, it has succeeded. */
  isAnswered = false;

  /** @param leaseUntil monotonic milliseconds at which its place is given to another call */
  constructor(
    readonly round: ProbeRound,
    readonly leaseUntil: number,
  ) {}
}

export interface ProbeLimits {
  /** Probes under way at once. */
  readonly probes: number;
  /** Successes that end the round well. */
  readonly successes: number;
  /** Milliseconds that a probe may keep its place. */
  readonly probeTimeoutMs: number;
}

/**
 * The probes of a half-open breaker, until so many succeeded, or so many failed that the others would not do. A probe of which
 * nothing is learnt (its client left) gives its place back and counts for nothing; one that does not end loses its place to the
 * next call, so that it cannot keep the round from ending, but still counts if it ends in time. One that is being answered for as long
 * as its lease (a stream) counts as a success then.
 */
export class ProbeRound {
  successes = 0;
  failures = 0;
  readonly #underWay: Probe[] = [];

  constructor(readonly limits: ProbeLimits) {}

  /** Probes that keep their places. */
  get underWay(): number {
    return this.#underWay.length;
  }

  /** Whether {@link take} would find a place. */
  hasRoom(now: number): boolean {
    this.#expire(now);
    return this.#underWay.length < this.limits.probes;
  }

  /** @returns undefined when all places are taken */
  take(now: number): Probe | undefined {
    if (!this.hasRoom(now)) return undefined;
    const probe = new Probe(this, now + this.limits.probeTimeoutMs);
    this.#underWay.push(probe);
    return probe;
  }

  /**
   * Counts the end of a probe.
   * @returns whether the round passed or failed; undefined while it goes on
   */
  end(probe: Probe, judgement: Judgement): boolean | undefined {
    if (probe.over) return undefined;
    probe.over = true;
    const at = this.#underWay.indexOf(probe);
    if (at >= 0) this.#underWay.splice(at, 1);
    if (judgement === 'success') this.successes++;
    else if (judgement === 'failure') this.failures++;
    const { probes, successes } = this.limits;
    if (this.successes >= successes) return true;
    return this.failures > probes - successes ? false : undefined;
  }

  /** Gives up the probes whose lease is over. @returns true when the round has passed by that */
  settle(now: number): boolean {
    this.#expire(now);
    return this.successes >= this.limits.successes;
  }

  #expire(now: number): void {
    for (let i = this.#underWay.length - 1; i >= 0; i--) {
      const probe = this.#underWay[i] as Probe;
      if (probe.leaseUntil > now) continue;
      this.#underWay.splice(i, 1);
      if (!probe.isAnswered) continue;
      probe.over = true;
      this.successes++;
    }
  }
}
