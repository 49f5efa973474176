import type { AssembledChain } from '../chain/handler-names.js';
import type { Policy } from '../chain/policy.js';
import type { ExplainCall } from './explain-call.js';
import type { Explanation } from './explanation.js';

/** Asks the policies in the order in which a call passes them, until one would answer by itself. */
export function explainChain({ policies, withoutEffect }: AssembledChain, call: ExplainCall, into: Explanation): void {
  const { active } = policies;
  call.policies = active;
  const idle = policies.policies.filter((policy) => !active.includes(policy)).map(({ name }) => name);
  const silent = active.filter((policy) => policy.explain === undefined).map(({ name }) => name);
  into.add(
    'chain',
    active.length === 0 ? 'no policy has anything to do' : active.map(({ name }) => name).join(', '),
    [
      ...(idle.length === 0 ? [] : [`nothing is configured for: ${idle.join(', ')}`]),
      ...(silent.length === 0 ? [] : [`these decide, too, but do not explain themselves: ${silent.join(', ')}`]),
      ...(withoutEffect.length === 0 ? [] : [`without effect in this version: ${withoutEffect.join(', ')}`]),
    ],
    { active: active.map(({ name }) => name), idle, silent, withoutEffect },
  );
  for (const policy of active) {
    explainPolicy(policy, call, into);
    if (into.stopped) return;
  }
}

function explainPolicy(policy: Policy, call: ExplainCall, into: Explanation): void {
  try {
    policy.explain?.(call, into);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    into.add(policy.name, `could not explain itself: ${message}`, [], { error: message });
  }
}
