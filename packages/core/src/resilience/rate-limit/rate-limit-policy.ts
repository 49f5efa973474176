import type { Policy, PolicyContext, PolicyFactory } from '../../chain/policy.js';
import type { MeshDocument } from '../../config/document.js';
import { flowcontrolSchema } from '../../config/sections/flowcontrol.js';
import type { Rejection } from '../../errors.js';
import type { Explanation } from '../../explain/explanation.js';
import type { Invocation } from '../../invocation.js';
import { LimitAdmission } from './rate-limit-admission.js';
import { KeyedLimits } from './rate-limit-keys.js';
import { rateLimitSchema } from './rate-limit-options.js';
import { RateLimitTable, type Side } from './rate-limit-table.js';

/** Limits of `cse.flowcontrol`, of one side. Calls of the Consumer side count for the called service, those of the Provider side for the caller. */
class RateLimitPolicy implements Policy {
  readonly #admission: LimitAdmission;
  readonly #table: RateLimitTable;
  readonly #ownName: string;

  constructor(
    readonly name: string,
    private readonly side: Side,
    { configuration, ...context }: PolicyContext,
  ) {
    const { document } = configuration;
    this.#ownName = document.service.name;
    this.#admission = new LimitAdmission(name, context, document);
    const { parts, trialParts } = this.#admission;
    this.#table = new RateLimitTable(side, parts);
    const compile = (table: RateLimitTable, current: MeshDocument): void => {
      const { maxKeys } = current.section('mesher.rateLimit', rateLimitSchema);
      table.compile(current.section('cse.flowcontrol', flowcontrolSchema), maxKeys);
    };
    compile(this.#table, document);
    // Into a table that nobody asks: a limit whose store does not exist is refused while it is compiled.
    configuration.onCheck((next) => compile(new RateLimitTable(side, trialParts), next));
    configuration.onChange((current) => {
      const options = current.section('mesher.rateLimit', rateLimitSchema);
      this.#admission.adjust(options, () => compile(this.#table, current));
    });
  }

  get isActive(): boolean {
    return !this.#table.isEmpty;
  }

  async start(): Promise<void> {
    await this.#admission.start();
  }

  close(): void {
    this.#admission.close();
  }

  before(call: Invocation): Rejection | undefined | Promise<Rejection | undefined> {
    const subject = this.#subject(call);
    const found = this.#table.find(call, subject, this.#source(call));
    if (found === undefined) return undefined;
    return this.#admission.admit(call, found instanceof KeyedLimits ? found.of(subject) : found);
  }

  explain(call: Invocation, into: Explanation): void {
    const subject = this.#subject(call);
    const found = this.#table.find(call, subject, this.#source(call));
    const about =
      this.side === 'Consumer' ? `calls to ${subject}` : `calls of ${subject === '' ? 'an unknown caller' : subject}`;
    const limit = found instanceof KeyedLimits ? found.peek(subject) : found;
    if (limit === undefined) into.add(this.name, `no limit for ${about}`);
    else this.#admission.explain(limit, about, into);
  }

  #subject(call: Invocation): string {
    if (this.side === 'Provider') return call.source?.service ?? '';
    return call.plan?.service ?? call.destination?.service ?? '';
  }

  #source(call: Invocation): string {
    return this.#table.dependsOnSource ? (call.source?.service ?? this.#ownName) : '';
  }
}

/** Behind `ratelimiter-consumer`: `cse.flowcontrol.Consumer`, and `cse.flowcontrol.{source}.Consumer`. */
export const consumerRateLimit: PolicyFactory = (context) =>
  new RateLimitPolicy('ratelimiter-consumer', 'Consumer', context);

/** Behind `ratelimiter-provider`: `cse.flowcontrol.Provider`. */
export const providerRateLimit: PolicyFactory = (context) =>
  new RateLimitPolicy('ratelimiter-provider', 'Provider', context);
