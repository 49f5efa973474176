import { InterceptError } from '../intercept-error.js';
import type { ReadFile } from './choose-backend.js';
import type { RuleBackend } from './rule-backend.js';

/**
 * A setting that is there in the first network namespace of a kernel only (net/core/sysctl_net_core.c registers it for init_net). What
 * others compare, the namespace of process 1, says nothing in a container: there process 1 is one of its own.
 */
const ONLY_IN_FIRST_NAMESPACE = '/proc/sys/net/core/netdev_max_backlog';

/**
 * Refuses to work in the network of a whole machine, before any program is asked.
 * @throws InterceptError INTERCEPT_HOST_NETWORK
 */
export function refuseFirstNamespace(readFile: ReadFile): void {
  if (readFile(ONLY_IN_FIRST_NAMESPACE) !== undefined) throw refusal('this is the network of the whole machine');
}

/**
 * That a machine is a container itself (a node of kind) shows in the chains and tables of its proxy only.
 * @throws InterceptError INTERCEPT_HOST_NETWORK
 */
export async function refuseNode(backends: readonly RuleBackend[]): Promise<void> {
  for (const backend of backends) {
    const sign = await backend.nodeSign();
    if (sign !== undefined) throw refusal(`this looks like the network of a node with containers (${sign})`);
  }
}

function refusal(why: string): InterceptError {
  return new InterceptError(
    'INTERCEPT_HOST_NETWORK',
    `${why}: the rules would take the connections of every program on it; run in the network namespace of the application, or insist with --host-network`,
  );
}
