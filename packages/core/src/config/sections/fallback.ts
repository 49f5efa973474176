import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';
import { bySide, type SideOf } from './by-side.js';

const FALLBACK = {
  enabled: s.boolean({
    default: true,
    doc: 'Whether a fallback answers when a call was not let through.',
    reason: 'as in go-chassis; the default policy answers with the error itself',
  }),
  force: s.boolean({ default: false, doc: 'Lets no call through: every one gets the fallback.' }),
  maxConcurrentRequests: s.integer({
    min: 0,
    doc: 'How many fallbacks may run at once.',
    obsolete: 'a fallback answers at once, so no two of them ever run together',
  }),
};

const POLICY = {
  policy: s.string({
    default: 'throwexception',
    doc: 'What answers: returnnull (an empty 200), throwexception (the error, 503), or the name of a fallback plugin.',
    reason:
      'a caller that takes an empty answer for data does harm; go-chassis does so too, whatever its documentation says',
  }),
};

export type FallbackValues = { readonly [K in keyof typeof FALLBACK]: Infer<(typeof FALLBACK)[K]> };
export type FallbackSide = SideOf<typeof FALLBACK>;
export type FallbackPolicySide = SideOf<typeof POLICY>;

export const fallbackSchema = s.object(bySide(FALLBACK), {
  doc: 'Whether something else answers in place of a call that was not let through, or failed.',
});

export const fallbackPolicySchema = s.object(bySide(POLICY), { doc: 'What answers in place of such a call.' });
