import type { Clock, Logger } from '@mesher/core';
import type { ServiceCenter } from '../client/service-center.js';
import { messageOf } from '../client/service-center-error.js';
import { membersOf, textOf } from '../client/wire-model.js';

export type Tags = Readonly<Record<string, string>>;

interface Known {
  readonly tags: Tags;
  /** Monotonic milliseconds. */
  readonly readAt: number;
}

/** Most service versions that are asked for in one answer: each costs a request. */
const MAX_AT_ONCE = 100;
/** How many times `maxAgeMs` the tags of a version are kept of which no instance was listed. */
const KEPT_FOR = 10;

/**
 * Tags of service versions: people set them in service-center for all instances of a version, and service-center does not list them with
 * the instances. Each version is asked for once, and again when its tags are old; without an answer the last ones stay.
 */
export class ServiceTags {
  readonly #known = new Map<string, Known>();
  #hadTrouble = false;

  /** @param maxAgeMs after which tags are read again, when instances of their version are listed anew */
  constructor(
    private readonly center: Pick<ServiceCenter, 'tags'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly maxAgeMs: number,
  ) {}

  /** Reads what is missing for these instances. Never rejects: tags are no reason to know no instances. */
  async learn(instances: readonly unknown[], signal: AbortSignal): Promise<void> {
    const now = this.clock.now();
    const missing = new Set<string>();
    for (const instance of instances) {
      const serviceId = textOf(membersOf(instance)['serviceId']);
      if (serviceId === undefined || missing.size === MAX_AT_ONCE) continue;
      const known = this.#known.get(serviceId);
      if (known === undefined || now - known.readAt >= this.maxAgeMs) missing.add(serviceId);
    }
    try {
      for (const serviceId of missing) {
        this.#known.set(serviceId, { tags: await this.center.tags(serviceId, signal), readAt: now });
      }
      if (missing.size > 0) this.#hadTrouble = false;
    } catch (error) {
      if (signal.aborted) return;
      const report = this.#hadTrouble ? this.logger.debug : this.logger.warn;
      report.call(
        this.logger,
        { error: messageOf(error) },
        'tags of services cannot be read; those that are known stay',
      );
      this.#hadTrouble = true;
    }
    for (const [serviceId, { readAt }] of this.#known) {
      if (now - readAt > KEPT_FOR * this.maxAgeMs) this.#known.delete(serviceId);
    }
  }

  /** As of the last {@link learn}. */
  readonly of = (serviceId: string | undefined): Tags | undefined =>
    serviceId === undefined ? undefined : this.#known.get(serviceId)?.tags;
}
