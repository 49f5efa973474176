import { Endpoint, formatHostPort, type CallMetrics, type Direction, type Observation } from '@mesher/core';
import { Passage } from './passage.js';

export interface PassagesSettings {
  readonly maxDestinations: number;
  /** Name of the local application, as which inbound connections are counted. */
  readonly own: string;
  readonly metrics: CallMetrics | undefined;
  readonly observation: Pick<Observation, 'begin' | 'end'>;
  /** Called for endpoints that are forgotten, so that their idle connections close. */
  readonly onForgotten: (endpoint: Endpoint) => void;
}

/** The ways to original destinations: one endpoint each, so that connections to it can be kept. Those not used for longest are forgotten. */
export class Passages {
  readonly #kept = new Map<string, Passage>();
  readonly #elsewhere = new WeakMap<Endpoint, Passage>();

  constructor(private readonly settings: PassagesSettings) {}

  /** @param remember false for one that is only asked about */
  to(direction: Direction, host: string, port: number, remember = true): Passage {
    const key = `${direction} ${formatHostPort({ host, port })}`;
    const known = this.#kept.get(key);
    if (known !== undefined) {
      // A map keeps the order of insertion: the first is the one not used for longest.
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known;
    }
    if (!remember) return this.#make(direction, host, port);
    const { maxDestinations, onForgotten } = this.settings;
    for (const [oldest, { endpoints }] of this.#kept) {
      if (this.#kept.size < maxDestinations) break;
      this.#kept.delete(oldest);
      for (const endpoint of endpoints) {
        endpoint.retired = true;
        onForgotten(endpoint);
      }
    }
    const passage = this.#make(direction, host, port);
    this.#kept.set(key, passage);
    return passage;
  }

  /** The way of outbound calls to an endpoint that somebody else looks after. */
  through(endpoint: Endpoint): Passage {
    const known = this.#elsewhere.get(endpoint);
    if (known !== undefined) return known;
    const { metrics, observation } = this.settings;
    const passage = new Passage('outbound', endpoint, undefined, metrics, observation);
    this.#elsewhere.set(endpoint, passage);
    return passage;
  }

  #make(direction: Direction, host: string, port: number): Passage {
    const { metrics, observation, own } = this.settings;
    const service = direction === 'inbound' ? own : undefined;
    return new Passage(direction, new Endpoint(host, port), service, metrics, observation);
  }
}
