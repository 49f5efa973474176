import { s } from '../schema/combinators.js';
import { bySide } from './by-side.js';

const isolation = bySide({
  timeoutInMilliseconds: s.integer({ min: 0, doc: 'How long a call may take.' }),
  maxConcurrentRequests: s.integer({ min: 0, doc: 'How many calls may be under way.' }),
  timeout: s.object({ enabled: s.boolean({ doc: 'Whether the timeout applies.' }) }),
});

export const isolationSchema = s.object(isolation, {
  doc: 'Timeouts and limits on concurrent calls.',
  notYet: 'timeouts and limits will act on it',
  section: 'cse.isolation',
});
