import type { Instance } from '../registry/instance.js';

/**
 * A part of a service's instances, chosen by a route rule. The object stays the same until the configuration changes, so plans may
 * keep what they compile for it by its identity.
 */
export interface Subset {
  /** How messages, metrics and `explain` call it, e.g. `version=v2`. */
  readonly name: string;
  /**
   * What becomes of a call when the part is empty: `fail` with an error that names it, or `any` instance of the service in the same
   * application, which `select` then gives.
   */
  readonly whenEmpty: 'fail' | 'any';
  /** The instances of the part, out of those of the service, in their order. */
  select(instances: readonly Instance[]): readonly Instance[];
}
