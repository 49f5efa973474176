import { fieldName, policyField } from './rate-limit-fields.js';
import { SharedGate } from './rate-limit-gate.js';
import type { LimitStore } from './rate-limit-store.js';
import type { PolicyMetrics } from '../../telemetry/policy-metrics.js';
import type { Clock } from '../../ports/ports.js';
import { TokenBucket } from './token-bucket.js';

/** Rates from here on are no limit: what go-chassis has where nothing is configured. */
export const UNLIMITED = 2_147_483_647;

/** One limit as it is configured. */
export interface LimitShape {
  /** What its state is kept by; unique within a policy. */
  readonly id: string;
  /** Name in metrics, answers and explanations: the configuration key without its beginning. */
  readonly name: string;
  /** Calls per second; 0 or less lets none through. */
  readonly rate: number;
  readonly burst: number;
  /** The shared-limiter plugin that counts it; undefined for a limit of this process alone. */
  readonly shared: string | undefined;
}

/** What limits are made with. */
export interface LimitParts {
  readonly clock: Clock;
  readonly metrics: PolicyMetrics;
  /** The place where a shared limit is counted. */
  store(name: string): LimitStore;
  /** What the key of a shared limit begins with, so that each service has its own. */
  readonly scope: string;
}

/** A limit with its state. */
export class RateLimit {
  /** Of this process; for a shared limit it decides while the store does not answer. */
  readonly bucket: TokenBucket;
  gate: SharedGate | undefined;
  /** Value of the field `ratelimit-policy`. */
  policyField: string;
  /** The name as it stands in the field `ratelimit`. */
  fieldName: string;

  constructor(
    public shape: LimitShape,
    private readonly parts: LimitParts,
  ) {
    const { rate, burst } = this.#local(shape);
    this.bucket = new TokenBucket(rate, burst, parts.clock.now());
    this.gate = this.#gate(shape);
    this.policyField = policyField(shape.name, shape.rate);
    this.fieldName = fieldName(shape.name);
  }

  /** Takes over a changed configuration and keeps its fill in proportion. */
  adjust(shape: LimitShape): void {
    const { rate, burst } = this.#local(shape);
    this.bucket.adjust(rate, burst, this.parts.clock.now());
    if (shape.shared !== this.shape.shared) this.gate = this.#gate(shape);
    else this.gate?.adjust({ key: this.#key(shape), rate: shape.rate, burst: shape.burst });
    this.policyField = policyField(shape.name, shape.rate);
    this.fieldName = fieldName(shape.name);
    this.shape = shape;
  }

  #local({ rate, burst, shared }: LimitShape): { rate: number; burst: number } {
    const share = shared === undefined ? 1 : this.parts.store(shared).options.localShare;
    return { rate: rate * share, burst: Math.max(1, burst * share) };
  }

  #gate(shape: LimitShape): SharedGate | undefined {
    if (shape.shared === undefined) return undefined;
    const { clock, metrics, store } = this.parts;
    const limit = { key: this.#key(shape), rate: shape.rate, burst: shape.burst };
    return new SharedGate(limit, store(shape.shared), this.bucket, clock, metrics);
  }

  #key({ id }: LimitShape): string {
    return `${this.parts.scope}/${id}`;
  }
}

/** The limits of a policy by their ids: they keep their state when the configuration changes around them. */
export class LimitPool {
  #limits = new Map<string, RateLimit>();
  #next = new Map<string, RateLimit>();

  constructor(private readonly parts: LimitParts) {}

  /** The limit of that id, as it was or new, with this shape. */
  limit(shape: LimitShape): RateLimit {
    let limit = this.#next.get(shape.id);
    if (limit !== undefined) return limit;
    limit = this.#limits.get(shape.id);
    if (limit === undefined) limit = new RateLimit(shape, this.parts);
    else limit.adjust(shape);
    this.#next.set(shape.id, limit);
    return limit;
  }

  /** Forgets the limits that were not asked for since the last time. */
  settle(): void {
    this.#limits = this.#next;
    this.#next = new Map();
  }
}
