import { ConsulError } from './consul-error.js';
import type { Answer } from './calls.js';

/** What an answer says of itself besides its content. */
export interface AnswerFacts {
  /** Grows with every change of what was asked for; asked for with it, Consul holds back the answer until it grows. */
  readonly index: bigint;
  /** False while the servers have no leader: with stale answers nobody knows how old they are. */
  readonly hasLeader: boolean;
  /** The token may not see everything that is there. */
  readonly isFiltered: boolean;
  /** It comes from the streaming backend of the agent, which says neither whether there is a leader nor whether something is hidden. */
  readonly isStreamed: boolean;
  /** How much there was to read. */
  readonly bytes: number;
}

/** An answer with what it was about. */
export interface Indexed<T> extends AnswerFacts {
  readonly content: T;
}

/**
 * Reads the headers of an answer.
 * @throws ConsulError CONSUL_ANSWER without an index of at least 1: whatever answers there, it is no Consul that can be followed
 */
export function factsOf({ header, body }: Answer): AnswerFacts {
  const text = header('x-consul-index') ?? '';
  const index = /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
  if (index < 1n) throw new ConsulError('CONSUL_ANSWER', `Consul answers with the index '${text.slice(0, 30)}'`);
  const isStreamed = header('x-consul-query-backend') === 'streaming';
  return {
    index,
    isStreamed,
    hasLeader: header('x-consul-knownleader') !== 'false' || isStreamed,
    isFiltered: header('x-consul-results-filtered-by-acls') === 'true',
    bytes: body.length,
  };
}
