/** What happens to the connection with a registry, and is counted; a registry without such a thing never counts it. */
export const REGISTRY_EVENTS = {
  'ask-failed': 'a question about services that got no usable answer',
  'answer-rejected': 'an answer, or an event, that made no sense and was left out',
  reconnected: 'a watch or a stream that was connected again after it had ended',
  'empty-suppressed': 'an answer in which instances were missing that are kept for now',
  're-registered': 'the own instance had been lost by the registry and was registered again',
  'heartbeat-failed': 'a heartbeat of the own instance that did not reach the registry',
} as const satisfies Readonly<Record<string, string>>;

export type RegistryEvent = keyof typeof REGISTRY_EVENTS;

/** How often each of them has happened since the start; those left out never have. */
export type RegistryCounts = Readonly<Partial<Record<RegistryEvent, number>>>;

/** Counts what happens to one registry. All of it is rare: nothing is counted while all is well. */
export class RegistryEventCounter {
  readonly #counts = new Map<RegistryEvent, number>();

  readonly add = (event: RegistryEvent): void => {
    this.#counts.set(event, (this.#counts.get(event) ?? 0) + 1);
  };

  get counts(): RegistryCounts {
    return Object.fromEntries(this.#counts);
  }
}
