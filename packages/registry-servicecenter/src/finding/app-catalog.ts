import type { Clock } from '@mesher/core';
import type { ServiceCenter } from '../client/service-center.js';
import { membersOf, textOf } from '../client/wire-model.js';

/** Least time between two readings, whatever is asked for: the list is long where there are many services. Milliseconds. */
const MIN_AGE_MS = 5_000;

/** Most applications in which one service is looked for: each is asked for in every round. */
const MAX_APPS = 100;

/** Which applications have a service of a name. Service-center finds services by application, so somebody must know them. */
export class AppCatalog {
  #apps: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #readAt = -Infinity;

  constructor(
    private readonly center: ServiceCenter,
    private readonly environment: string,
    private readonly clock: Clock,
  ) {}

  appsOf(serviceName: string): Iterable<string> {
    return this.#apps.get(serviceName) ?? [];
  }

  /** Reads the list when it is older than that, and not too young. @throws ServiceCenterError; the last list stays */
  async refresh(maxAgeMs: number, signal: AbortSignal): Promise<void> {
    const age = this.clock.now() - this.#readAt;
    if (age < Math.max(maxAgeMs, MIN_AGE_MS)) return;
    const apps = new Map<string, Set<string>>();
    for (const item of await this.center.services(signal)) {
      const { serviceName, appId, environment } = membersOf(item);
      const name = textOf(serviceName);
      if (name === undefined || (textOf(environment) ?? '') !== this.environment) continue;
      const known = apps.get(name) ?? new Set();
      if (known.size < MAX_APPS) known.add(textOf(appId) ?? 'default');
      apps.set(name, known);
    }
    this.#apps = apps;
    this.#readAt = this.clock.now();
  }
}
