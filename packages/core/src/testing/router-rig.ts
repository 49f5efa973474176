import type { MeshDocument } from '../config/document.js';
import type { Rejection } from '../errors.js';
import { Explanation } from '../explain/explanation.js';
import { steadyBalancing, type SteadySettings } from '../loadbalance/steady-balancing.js';
import { Endpoint } from '../registry/endpoint.js';
import type { Instance } from '../registry/instance.js';
import { ServicePlan } from '../registry/service-plan.js';
import type { PlanSource } from '../routing/mirror.js';
import { RouterPolicy } from '../routing/router-policy.js';
import { TrafficMarker } from '../routing/traffic-marker.js';
import { FakeCall, type FakeCallFacts } from './fake-call.js';
import { meshDocument, policyContext, type PolicyContextSettings, type TestPolicyContext } from './policy-context.js';

/** A call after the router, and where it went. */
export interface RoutedCall {
  readonly call: FakeCall;
  readonly rejection: Rejection | undefined;
  /** Id of the instance; undefined when there was none to take the call. */
  readonly instance: string | undefined;
}

export interface RouterRigSettings extends PolicyContextSettings {
  /** How instances are balanced; round robin when left out. */
  readonly strategy?: SteadySettings['strategy'];
}

/** The traffic marker and the router over given instances of services, and files given as text. */
export class RouterRig {
  readonly router: RouterPolicy;
  readonly marker: TrafficMarker;
  /** Services that are to be watched although nobody calls them. */
  kept: ReadonlySet<string> = new Set();
  readonly #plans = new Map<string, ServicePlan>();

  private constructor(
    readonly context: TestPolicyContext,
    private readonly balancing: Partial<SteadySettings>,
  ) {
    const plans: PlanSource = {
      plan: (service) => this.#plans.get(service),
      preview: (service) => {
        const plan = this.#plans.get(service);
        return plan === undefined ? undefined : { plan };
      },
      keepWatched: (_owner, services) => void (this.kept = services),
    };
    this.router = new RouterPolicy({ ...context, plans });
    this.marker = new TrafficMarker(context);
  }

  static async make(
    files: Readonly<Record<string, string>>,
    services: Readonly<Record<string, readonly Instance[]>>,
    settings: RouterRigSettings = {},
  ): Promise<RouterRig> {
    const rig = new RouterRig(
      await policyContext({ ...settings, files }),
      settings.strategy === undefined ? {} : { strategy: settings.strategy },
    );
    for (const [service, instances] of Object.entries(services)) rig.publish(service, instances);
    return rig;
  }

  plan(service: string): ServicePlan | undefined {
    return this.#plans.get(service);
  }

  publish(service: string, instances: readonly Instance[]): void {
    let plan = this.#plans.get(service);
    if (plan === undefined) {
      const { ports } = this.context;
      this.#plans.set(
        service,
        (plan = new ServicePlan(service, ports, steadyBalancing(ports, this.balancing), () => undefined)),
      );
    }
    const revision = `r${Number(plan.snapshot?.revision.slice(1) ?? 0) + 1}`;
    plan.apply({ service, exists: true, revision, instances }, 0);
  }

  async reconfigure(files: Readonly<Record<string, string>>): Promise<MeshDocument> {
    const document = await meshDocument(files);
    this.context.configuration.swap(document);
    return document;
  }

  send(facts: FakeCallFacts = {}, service = 'world'): RoutedCall {
    const call = this.#call(facts, service);
    if (this.marker.isActive) this.marker.before(call);
    const rejection = this.router.before(call);
    const endpoint = rejection === undefined ? call.plan?.pick(call, undefined) : undefined;
    return {
      call,
      rejection,
      instance: endpoint instanceof Endpoint ? endpoint.instance?.instanceId : undefined,
    };
  }

  /** Ids of the instances that `count` calls went to. */
  spread(count: number, facts: FakeCallFacts = {}): Record<string, number> {
    const found: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const instance = this.send(facts).instance ?? 'nobody';
      found[instance] = (found[instance] ?? 0) + 1;
    }
    return found;
  }

  explain(facts: FakeCallFacts = {}, service = 'world'): { readonly call: FakeCall; readonly into: Explanation } {
    const call = this.#call(facts, service);
    const into = new Explanation();
    if (this.marker.isActive) this.marker.explain(call, into);
    this.router.explain(call, into);
    return { call, into };
  }

  #call(facts: FakeCallFacts, service: string): FakeCall {
    const call = new FakeCall({ destination: { service }, direction: this.context.direction, ...facts });
    if (call.direction === 'outbound') call.plan = this.#plans.get(service);
    return call;
  }
}
