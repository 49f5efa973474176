import type { Instance } from './instance.js';

/**
 * Registered names by their lower-case form. Host names know no case (RFC 9110, 4.2.3), and URL libraries write them in lower case:
 * `fetch('http://ServiceB/')` asks for `serviceb`. Registries do know case, so the name is looked up in both spellings.
 */
export class SpellingIndex {
  readonly #exact = new Set<string>();
  readonly #byLowerCase = new Map<string, string | undefined>();

  /** @param instances everything that the registry lists */
  constructor(instances: readonly Instance[]) {
    for (const { service } of instances) {
      if (this.#exact.has(service)) continue;
      this.#exact.add(service);
      const lower = service.toLowerCase();
      // Two names that differ in case only: neither is what somebody in lower case means for certain.
      this.#byLowerCase.set(lower, this.#byLowerCase.has(lower) ? undefined : service);
    }
  }

  /** The registered name that `service` means: itself, or the only one that differs in case; undefined when there is none. */
  registeredAs(service: string): string | undefined {
    return this.#exact.has(service) ? service : this.#byLowerCase.get(service.toLowerCase());
  }
}
