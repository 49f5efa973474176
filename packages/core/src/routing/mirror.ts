import type { RouteRuleConfig } from '../config/sections/route-rules.js';
import type { Invocation, MirrorOrder } from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { ServicePlan } from '../registry/service-plan.js';
import type { Subset } from './subset.js';

/** What is appended to the name in the Host field of copies, as Envoy does: logs and applications can tell them apart. */
const SHADOW_SUFFIX = '-shadow';

/** Plans by service; asking begins to watch the service. */
export interface PlanSource {
  plan(service: string): ServicePlan | undefined;
}

type MirrorConfig = NonNullable<RouteRuleConfig['mirror']>;

/** Sends copies of a share of the calls elsewhere: every n-th one, without chance. */
export class Mirror {
  /** For people. */
  readonly text: string;
  readonly #service: string | undefined;
  readonly #host: string | undefined;
  readonly #percentage: number;
  #saved = 0;

  constructor(
    { service, percentage, host }: MirrorConfig,
    private readonly subset: Subset,
  ) {
    this.#service = service;
    this.#host = host;
    this.#percentage = percentage;
    this.text = `mirrors ${percentage} % to ${service ?? 'the same service'} ${subset.name}`;
  }

  /** Where a copy of this call goes; undefined when it is not its turn, or nobody is there to take it. */
  order(call: Invocation, plan: ServicePlan, plans: PlanSource | undefined): MirrorOrder | undefined {
    // Only a request that ends can be copied.
    if (call.protocol === 'tcp' || call.method === 'CONNECT') return undefined;
    this.#saved += this.#percentage;
    if (this.#saved < WHOLE) return undefined;
    this.#saved -= WHOLE;
    const target = this.#service === undefined || this.#service === plan.service ? plan : plans?.plan(this.#service);
    if (target?.state !== 'known') return undefined;
    target.lastUsedAt = call.startedAt;
    const endpoint = pickQuietly(call, target, this.subset);
    return endpoint === undefined ? undefined : { endpoint, authority: this.#host ?? shadowOf(call.authority) };
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
