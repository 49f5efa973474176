import type { CallExplanation } from '../../explain/explainer.js';
import { CODE_FIELD, LOCAL_APP, type ObservedAnswer, type ReceivedRequest } from './cases.js';

/** Codes of calls that were sent, or of what nobody can know before. */
const AFTER_SENDING: ReadonlySet<string> = new Set([
  'MESH_ERR_CONNECT',
  'MESH_ERR_UPSTREAM_RESET',
  'MESH_ERR_TIMEOUT',
  'MESH_ERR_TRY_TIMEOUT',
]);

/**
 * What an explanation said otherwise than what became of the call right afterwards; empty when they agree.
 * @param received what arrived at instances because of that call
 * @param addressOf `host:port` of an instance
 * @param listensAt false for an address that refuses connections: the call then goes on to another
 */
export function disagreements(
  explained: CallExplanation,
  answer: ObservedAnswer,
  received: readonly ReceivedRequest[],
  addressOf: (id: string) => string,
  listensAt: (address: string) => boolean,
): readonly string[] {
  if (explained.open || isByChance(explained)) return [];
  const code = answer.headers[CODE_FIELD];
  if (!explained.sent) {
    const status = explained.answer?.grpcStatus ?? explained.answer?.status ?? 0;
    const answered = answer.grpcStatus ?? answer.status;
    const said = `${status} ${explained.answer?.code ?? ''}`;
    const sameStatus = status === answered;
    const sameCode = code === undefined || code === explained.answer?.code;
    const problems = sameStatus && sameCode ? [] : [`explained as ${said}, but answered with ${answered} ${code}`];
    return received.length === 0 ? problems : [...problems, `explained as ${said}, but sent`];
  }
  if (received.length === 0 && code !== undefined && !AFTER_SENDING.has(code)) {
    return [`explained as sent, but answered with ${answer.status} ${code}`];
  }
  const [first] = received;
  const kept = keptOf(explained);
  if (first === undefined || first.instance === LOCAL_APP || kept === undefined) return [];
  return kept.includes(addressOf(first.instance)) || !kept.every(listensAt)
    ? []
    : [`explained as a choice among ${kept.join(', ')}, but sent to ${addressOf(first.instance)} (${first.instance})`];
}

/** Faults for a share of the calls: whether this one is hit is decided when it is made. */
function isByChance({ steps }: CallExplanation): boolean {
  return steps.some(({ stage, data }) => {
    const { values } = data as { values?: { readonly abortPercent?: number } };
    return stage === 'fault-inject' && values?.abortPercent !== undefined && values.abortPercent % 100 !== 0;
  });
}

/** Addresses of the endpoints that may be chosen. */
function keptOf({ steps }: CallExplanation): readonly string[] | undefined {
  const { kept } = (steps.find(({ stage }) => stage === 'load-balancer')?.data ?? {}) as {
    kept?: readonly { readonly endpoint: string; readonly probability?: number }[];
  };
  return kept?.filter(({ probability }) => probability !== 0).map(({ endpoint }) => endpoint);
}
