import type { Policy, PolicyContext, PolicyFactory } from '../../chain/policy.js';
import type { MeshDocument } from '../../config/document.js';
import { markedRateLimitSchema } from '../../config/sections/marked-rate-limit.js';
import type { Rejection } from '../../errors.js';
import type { Explanation } from '../../explain/explanation.js';
import type { Invocation } from '../../invocation.js';
import { carriesMark } from '../marked-calls.js';
import { LimitAdmission } from './rate-limit-admission.js';
import { rateLimitSchema } from './rate-limit-options.js';
import { LimitPool, UNLIMITED, type RateLimit } from './rate-limit.js';

interface MarkedLimit {
  readonly mark: string;
  readonly limit: RateLimit;
}

/** Limits for marked calls: the first one whose mark the call carries, in the order of the configuration. */
class MarkedRateLimits implements Policy {
  readonly name = 'rate-limiter';
  readonly #admission: LimitAdmission;
  readonly #pool: LimitPool;
  #limits: readonly MarkedLimit[] = [];

  constructor({ configuration, ...context }: PolicyContext) {
    this.#admission = new LimitAdmission(this.name, context, configuration.document);
    this.#pool = new LimitPool(this.#admission.parts);
    this.#limits = limitsOf(configuration.document, this.#pool);
    // Into a pool that nobody asks: a limit whose store does not exist is refused while it is made.
    configuration.onCheck((document) => void limitsOf(document, new LimitPool(this.#admission.trialParts)));
    configuration.onChange((document) => {
      const options = document.section('mesher.rateLimit', rateLimitSchema);
      this.#admission.adjust(options, () => (this.#limits = limitsOf(document, this.#pool)));
    });
  }

  get isActive(): boolean {
    return this.#limits.length > 0;
  }

  async start(): Promise<void> {
    await this.#admission.start();
  }

  close(): void {
    this.#admission.close();
  }

  before(call: Invocation): Rejection | undefined | Promise<Rejection | undefined> {
    for (const { mark, limit } of this.#limits) if (carriesMark(call, mark)) return this.#admission.admit(call, limit);
    return undefined;
  }

  explain(call: Invocation, into: Explanation): void {
    const found = this.#limits.find(({ mark }) => carriesMark(call, mark));
    const carried = call.marks.length === 0 ? 'calls without a mark' : `calls marked ${call.marks.join(', ')}`;
    if (found === undefined) into.add(this.name, `no limit for ${carried}`);
    else this.#admission.explain(found.limit, carried, into);
  }
}

/** The limits by mark that a document sets, with the state that the pool has of them. */
function limitsOf(document: MeshDocument, pool: LimitPool): MarkedLimit[] {
  const limits: MarkedLimit[] = [];
  for (const [name, policy] of document.section('servicecomb.rateLimiting', markedRateLimitSchema)) {
    const { match, rate, burst, limitRefreshPeriod, shared } = policy;
    const perSecond = (rate * 1000) / limitRefreshPeriod;
    if (perSecond >= UNLIMITED) continue;
    const shape = { id: `mark/${name}`, name, rate: perSecond, burst: burst ?? Math.max(1, rate), shared };
    limits.push({ mark: match ?? name, limit: pool.limit(shape) });
  }
  pool.settle();
  return limits;
}

/** Behind `rate-limiter`: `servicecomb.rateLimiting`, by the marks of `servicecomb.match`. */
export const markedRateLimit: PolicyFactory = (context) => new MarkedRateLimits(context);
