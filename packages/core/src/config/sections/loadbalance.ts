import { s } from '../schema/combinators.js';
import type { Fields } from '../schema/object.js';
import { RETRY_FIELDS } from './retry.js';

function loadbalanceFields() {
  return {
    strategy: s.object({
      name: s.string({ doc: 'RoundRobin, Random, SessionStickiness, WeightedResponse, or one from a plugin.' }),
    }),
    ...RETRY_FIELDS,
    SessionStickinessRule: s.object({
      sessionTimeoutInSeconds: s.integer({ min: 0, doc: 'How long a session stays with its instance.' }),
      successiveFailedTimes: s.integer({ min: 0, doc: 'Failures after which a session is moved.' }),
    }),
  } satisfies Fields;
}

export const loadbalanceSchema = s.openObject(
  {
    ...loadbalanceFields(),
    serverListFilters: s.list(s.string(), { commaSeparated: true, doc: 'Filters of instances, such as zoneaware.' }),
  },
  {
    as: 'services',
    keyName: 'service',
    each: s.object({
      ...loadbalanceFields(),
      serverListFilters: s.list(s.string(), { commaSeparated: true, doc: 'Filters of instances.' }),
    }),
  },
  {
    doc: 'How an instance is chosen, and when a call is tried again.',
    notYet: 'load balancing will act on it',
    section: 'cse.loadbalance',
  },
);
