import type { RouteRuleConfig } from '../config/sections/route-rules.js';
import type { Invocation, MirrorOrder } from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { ServicePlan } from '../registry/service-plan.js';
import type { Subset } from './subset.js';

/** What is appended to the name in the Host field of copies, as Envoy does: logs and applications can tell them apart. */
const SHADOW_SUFFIX = '-shadow';

/** Plans by service. */
export interface PlanSource {
  /** Asking begins to watch the service. */
  plan(service: string): ServicePlan | undefined;
  /** What is known of the service without asking the registry. */
  preview(service: string): { readonly plan: ServicePlan } | undefined;
  /** Watches these services ahead of all calls, for as long as `owner` names them; what it named before is given up. */
  keepWatched(owner: object, services: ReadonlySet<string>): void;
}

type MirrorConfig = NonNullable<RouteRuleConfig['mirror']>;

/** Sends copies of a share of the calls elsewhere: every n-th one, without chance. */
export class Mirror {
  /** For people. */
  readonly text: string;
  /** Whose instances get the copies; undefined for the called service itself. */
  readonly service: string | undefined;
  readonly #host: string | undefined;
  readonly #percentage: number;
  #saved = 0;

  constructor(
    { service, percentage, host }: MirrorConfig,
    private readonly subset: Subset,
  ) {
    this.service = service;
    this.#host = host;
    this.#percentage = percentage;
    this.text = `mirrors ${percentage} % to ${service ?? 'the same service'} ${subset.name}`;
  }

  /** Where a copy of this call goes, if anywhere; undefined when it is not its turn. */
  order(call: Invocation, plan: ServicePlan, plans: PlanSource | undefined): MirrorOrder | undefined {
    // A relayed connection has no request. What else cannot be copied, the wire knows, and counts.
    if (call.protocol === 'tcp') return undefined;
    this.#saved += this.#percentage;
    if (this.#saved < WHOLE) return undefined;
    this.#saved -= WHOLE;
    const target = this.#isTo(plan) ? plan : plans?.plan(this.service as string);
    const endpoint = target?.state === 'known' ? pickQuietly(call, target, this.subset) : undefined;
    return { endpoint, authority: this.#host ?? shadowOf(call.authority) };
  }

  /** Says what becomes of copies of this call, and if there are none, why. Counts and watches nothing. */
  explain(call: Invocation, plans: PlanSource | undefined): string {
    const problem = this.#problem(call, plans);
    return problem === undefined ? this.text : `${this.text}: none are made, ${problem}`;
  }

  #problem(call: Invocation, plans: PlanSource | undefined): string | undefined {
    const { plan } = call;
    if (plan === undefined) return 'only calls that leave are copied';
    if (call.protocol === 'tcp') return 'a connection has no request that could be copied';
    if (call.method === 'CONNECT') return 'CONNECT cannot be copied (not-mirrorable)';
    const service = this.service ?? plan.service;
    const target = this.#isTo(plan) ? plan : plans?.preview(service)?.plan;
    switch (target?.state) {
      case undefined:
        return `nothing is known of a service named ${service} (no-target)`;
      case 'pending':
        return `the registry has not answered yet about ${service} (no-target)`;
      case 'absent':
        return `no service named ${service} is registered (no-target)`;
      case 'known':
        if (target.candidates(call.protocol, this.subset).endpoints.length > 0) return undefined;
        return `no instance of ${service} with ${this.subset.name} takes calls (no-target)`;
    }
  }

  #isTo(plan: ServicePlan): boolean {
    return this.service === undefined || this.service === plan.service;
  }
}

const WHOLE = 100;

/** An endpoint for the copy: the caller must not get the session cookie of an instance that never answers it. */
function pickQuietly(call: Invocation, plan: ServicePlan, subset: Subset): Endpoint | undefined {
  const fields = call.responseFields;
  const count = fields?.length ?? 0;
  const endpoint = plan.candidates(call.protocol, subset).pick(call, undefined);
  if (fields === undefined) call.responseFields = undefined;
  else fields.length = count;
  return endpoint;
}

/** `world:8080` becomes `world-shadow:8080`. */
function shadowOf(authority: string): string {
  const port = /:\d+$/.exec(authority)?.[0] ?? '';
  return `${authority.slice(0, authority.length - port.length)}${SHADOW_SUFFIX}${port}`;
}
