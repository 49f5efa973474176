import { s } from '../schema/combinators.js';
import { bySide } from './by-side.js';

const fallback = bySide({
  enabled: s.boolean({ doc: 'Whether a fallback answers when a call was not let through.' }),
  force: s.boolean({ doc: 'Always falls back.' }),
  maxConcurrentRequests: s.integer({ min: 0, doc: 'How many fallbacks may run at once.' }),
});

const fallbackPolicy = bySide({
  policy: s.string({ doc: 'returnnull, throwexception, or one from a plugin.' }),
});

export const fallbackSchema = s.object(fallback, {
  doc: 'Whether something else answers in place of a failed call.',
  notYet: 'fallbacks will act on it',
  section: 'cse.fallback',
});

export const fallbackPolicySchema = s.object(fallbackPolicy, {
  doc: 'What answers in place of a failed call.',
  notYet: 'fallbacks will act on it',
  section: 'cse.fallbackpolicy',
});
