import type { CallExplanation } from '../../explain/explainer.js';

/** An explanation of `GET http://w/` that would be sent, with these facts instead; for tests of what looks at explanations. */
export function explained(facts: Partial<CallExplanation> = {}): CallExplanation {
  return {
    request: {
      direction: 'outbound',
      protocol: 'http',
      method: 'GET',
      authority: 'w',
      path: '/',
      headers: {},
      source: undefined,
    },
    sent: true,
    open: false,
    answer: undefined,
    steps: [],
    edits: { path: undefined, added: [], removed: [], responseFields: [] },
    ...facts,
  };
}
