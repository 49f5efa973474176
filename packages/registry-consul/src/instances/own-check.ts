import type { InstanceStatus } from '@mesher/core';
import type { CheckStatus } from '../client/wire-model.js';

/** How the states of an instance look in Consul, which has three of its own: calls go to `passing` only. */
const CHECK_STATUS: Readonly<Record<InstanceStatus, CheckStatus>> = {
  UP: 'passing',
  // Ready for calls, but not for everybody: other clients of Consul decide themselves what a warning is to them.
  TESTING: 'warning',
  STARTING: 'critical',
  DOWN: 'critical',
  OUTOFSERVICE: 'critical',
};

/** After the word of the status; so that nobody else's note is taken for one. */
const BY_MESHER = 'says Mesher';

/** Name of the check that Mesher registers. */
export const NAME_OF_CHECK = 'Mesher';

/** Id of the check that Mesher keeps alive, as Consul names the only check of a service itself. */
export function ownCheckId(serviceId: string): string {
  return `service:${serviceId}`;
}

/** What the own check says in that state. */
export function checkOf(status: InstanceStatus): { readonly status: CheckStatus; readonly note: string } {
  return { status: CHECK_STATUS[status], note: `${status}, ${BY_MESHER}` };
}

/** The state that the own check of an instance says; undefined for a check of others, and for one that its owner left. */
export function statusSaidBy(checkStatus: unknown, output: unknown): InstanceStatus | undefined {
  if (typeof output !== 'string' || !output.endsWith(BY_MESHER)) return undefined;
  const [word] = output.split(',', 1);
  const status = (Object.keys(CHECK_STATUS) as InstanceStatus[]).find((one) => one === word);
  return status !== undefined && CHECK_STATUS[status] === checkStatus ? status : undefined;
}
