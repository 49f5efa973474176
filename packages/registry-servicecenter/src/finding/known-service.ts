import { KnownInstances, type VanishRules } from '@mesher/core';

/** What is known of one service of one application. */
export class KnownService extends KnownInstances {
  /** Opaque, of the last answer. */
  revision: string | undefined;

  constructor(
    readonly app: string,
    rules: VanishRules,
  ) {
    super(rules);
  }
}
