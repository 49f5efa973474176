import type { ServicePlan } from '../registry/service-plan.js';

/**
 * Something that a policy keeps for each service that is called: made on the first call, made again from its predecessor after
 * {@link renew}, and forgotten together with the plan of the service.
 */
export class PerService<T extends object> {
  #made = new WeakMap<ServicePlan, { readonly generation: number; readonly value: T }>();
  #generation = 0;

  /** @param make gets what was there before the configuration changed, to carry over the state that still holds */
  constructor(private readonly make: (service: string, previous: T | undefined) => T) {}

  of(plan: ServicePlan): T {
    const found = this.#made.get(plan);
    return found !== undefined && found.generation === this.#generation ? found.value : this.#make(plan, found?.value);
  }

  /** What there is already; undefined when no call has asked for it. Not renewed. */
  peek(plan: ServicePlan): T | undefined {
    return this.#made.get(plan)?.value;
  }

  /** Everything is made again when it is asked for next. */
  renew(): void {
    this.#generation++;
  }

  #make(plan: ServicePlan, previous: T | undefined): T {
    const value = this.make(plan.service, previous);
    this.#made.set(plan, { generation: this.#generation, value });
    return value;
  }
}
