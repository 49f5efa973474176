import type { PolicyContext } from '../../chain/policy.js';
import type { MeshDocument } from '../../config/document.js';
import { MeshError, Rejection } from '../../errors.js';
import type { Explanation } from '../../explain/explanation.js';
import type { Invocation } from '../../invocation.js';
import type { LabelledCounter } from '../../telemetry/policy-metrics.js';
import type { RateLimit, LimitParts } from './rate-limit.js';
import { RATE_LIMIT_FIELD, RATE_LIMIT_POLICY_FIELD, remainingField, wholeSeconds } from './rate-limit-fields.js';
import type { LimitVerdict } from './rate-limit-gate.js';
import { rateLimitSchema, type RateLimitOptions } from './rate-limit-options.js';
import { LimitStore } from './rate-limit-store.js';

/** Takes a call out of a limit, and answers those that are too many. Shared by the policies that limit. */
export class LimitAdmission {
  /** For limits that a configuration would have, which nobody asks: stores that they name are not kept. */
  readonly trialParts: LimitParts;
  /** For the limits that are in effect. */
  readonly parts: LimitParts;
  readonly #rejections: LabelledCounter;
  readonly #stores = new Map<string, LimitStore>();
  /** Those of them that the present configuration names. */
  #named = new Set<string>();
  #hasStarted = false;
  #options: RateLimitOptions;

  /** @param policy name of the handler, for metrics */
  constructor(
    private readonly policy: string,
    private readonly context: Omit<PolicyContext, 'configuration'>,
    document: MeshDocument,
  ) {
    const { ports, metrics, direction } = context;
    const { app, name } = document.service;
    this.#options = document.section('mesher.rateLimit', rateLimitSchema);
    this.#rejections = metrics.counter('rateLimitRejections');
    this.parts = {
      clock: ports.clock,
      metrics,
      store: (shared) => this.#store(shared),
      scope: `${app}/${name}`,
    };
    this.trialParts = { ...this.parts, store: (shared) => this.#makeStore(shared) };
    metrics.gauge('sharedLimiterUp', (report) => {
      for (const [shared, store] of this.#stores) report([direction, policy, shared], store.isUp ? 1 : 0);
    });
  }

  /**
   * Takes over a configuration.
   * @param compile makes its limits; stores that they do not name any more are left alone
   */
  adjust(options: RateLimitOptions, compile: () => void): void {
    this.#options = options;
    for (const store of this.#stores.values()) store.options = options.shared;
    this.#named = new Set();
    compile();
    for (const [name, store] of this.#stores) {
      if (this.#named.has(name)) continue;
      store.close();
      this.#stores.delete(name);
    }
  }

  /** Lets the stores get ready that are named by now, and from now on each that a configuration names anew. Never rejects. */
  async start(): Promise<void> {
    this.#hasStarted = true;
    await Promise.all([...this.#stores.values()].map((store) => store.open()));
  }

  close(): void {
    for (const store of this.#stores.values()) store.close();
  }

  admit(call: Invocation, limit: RateLimit): Rejection | undefined | Promise<Rejection | undefined> {
    // The start of a call is now, unless it had to wait on its way here.
    const now = call.waited ? this.parts.clock.now() : call.startedAt;
    const { gate } = limit;
    if (gate === undefined) return this.#answer(call, limit, limit.bucket.take(now) ? 'pass' : 'reject', now);
    const verdict = gate.take(now);
    if (!(verdict instanceof Promise)) return this.#answer(call, limit, verdict, now);
    return verdict.then((later) => this.#answer(call, limit, later, this.parts.clock.now()));
  }

  explain(limit: RateLimit, about: string, into: Explanation): void {
    const now = this.parts.clock.now();
    const { shape, bucket, gate } = limit;
    const isRejected = gate === undefined ? bucket.level(now) < 1 : gate.preview(now) !== 'pass';
    const left = Math.floor(levelOf(limit, now) * 100) / 100;
    const what = `${about} under the limit '${shape.name}' (${shape.rate}/s, burst ${shape.burst})`;
    into.add(
      this.policy,
      isRejected ? `rejects ${what}` : `passes ${what}`,
      [
        `limit ${shape.id}, the most specific one that fits`,
        gate === undefined
          ? `${left} of ${shape.burst} left`
          : gate.store.isUp
            ? `counted by ${gate.store.name}; ${left} fetched ahead`
            : `${gate.store.name} does not answer: '${gate.store.options.onFailure}' decides (mesher.rateLimit.shared.onFailure)`,
      ],
      { ...shape, left, rejects: isRejected },
    );
    if (!isRejected) return;
    const wait = waitOf(limit, now);
    const seconds = Number.isFinite(wait) ? wholeSeconds(wait) : undefined;
    into.rejection = new Rejection('MESH_ERR_RATE_LIMITED', `rejects ${what}`, seconds);
    into.stopped = true;
  }

  #answer(call: Invocation, limit: RateLimit, verdict: LimitVerdict, now: number): Rejection | undefined {
    if (verdict === 'pass') {
      if (this.#options.headers === 'always') this.#addFields(call, limit, now, true);
      return undefined;
    }
    const { shape } = limit;
    const service = call.destination?.service ?? '';
    this.#rejections.add([this.context.direction, service, shape.name]);
    if (this.#options.headers !== 'off') this.#addFields(call, limit, now, false);
    const wait = waitOf(limit, now);
    return new Rejection(
      'MESH_ERR_RATE_LIMITED',
      verdict === 'closed'
        ? `The limit '${shape.name}' for ${service} cannot be counted: ${shape.shared ?? ''} does not answer`
        : `More than ${shape.rate} calls per second under the limit '${shape.name}' for ${service}`,
      Number.isFinite(wait) ? wholeSeconds(wait) : undefined,
    );
  }

  #addFields(call: Invocation, limit: RateLimit, now: number, passed: boolean): void {
    if (call.protocol === 'tcp') return;
    const { shape, bucket } = limit;
    const remaining = passed ? levelOf(limit, now) : 0;
    const wait = passed ? bucket.waitFor(shape.burst, now) : waitOf(limit, now);
    call.addResponseField(RATE_LIMIT_POLICY_FIELD, limit.policyField);
    call.addResponseField(RATE_LIMIT_FIELD, remainingField(limit.fieldName, remaining, wait));
  }

  /** @throws MeshError MESH_ERR_UNKNOWN_PLUGIN when no shared limiter has the name */
  #store(name: string): LimitStore {
    this.#named.add(name);
    let store = this.#stores.get(name);
    if (store !== undefined) return store;
    store = this.#makeStore(name);
    this.#stores.set(name, store);
    if (this.#hasStarted) void store.open();
    return store;
  }

  /** @throws MeshError MESH_ERR_UNKNOWN_PLUGIN when no shared limiter has the name */
  #makeStore(name: string): LimitStore {
    const { plugins, ports, logger, metrics } = this.context;
    const limiter = plugins.find('shared-limiter', name);
    if (limiter === undefined) {
      const known = plugins.names('shared-limiter');
      throw new MeshError(
        'MESH_ERR_UNKNOWN_PLUGIN',
        `cse.flowcontrol or servicecomb.rateLimiting: there is no shared-limiter '${name}'; ${known.length === 0 ? "none is known; add its package to 'plugins'" : `known are ${known.join(', ')}`}`,
      );
    }
    return new LimitStore(name, limiter, this.#options.shared, { ports, logger, metrics });
  }
}

/** Calls that may pass without the store being asked; while it does not answer, those that the local bucket has. */
function levelOf({ bucket, gate }: RateLimit, now: number): number {
  return gate?.store.isUp === true ? gate.leased(now) : bucket.level(now);
}

/** Milliseconds until another call may pass, as far as is known here. */
function waitOf({ shape, bucket, gate }: RateLimit, now: number): number {
  if (shape.rate <= 0) return Infinity;
  return gate?.store.isUp === true ? gate.waitFor(now) : bucket.waitFor(1, now);
}
