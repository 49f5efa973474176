import { itemsOf, membersOf, type InstanceStatus } from '@mesher/core';
import { ownCheckId, statusSaidBy } from './own-check.js';

/** What the checks of an instance say together. */
export interface Health {
  readonly status: InstanceStatus;
  /** True when a check is in the state warning, and none is worse. */
  readonly isWarning: boolean;
  /**
   * True when all that speaks against the instance is that nobody has heard of it: its lease ran out, its node is lost, or nobody has
   * looked yet. When that happens to most instances at once, it is the way to them that is broken, or an agent that was away.
   */
  readonly isUnheard: boolean;
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly output: unknown;
}

/** Of a node whose agent cannot be reached by the others. */
const NODE_CHECK = 'serfHealth';
/** What an agent writes when a lease ran out. */
const EXPIRED = 'TTL expired';

/** @param warning whether instances with a warning take calls */
export function readHealth(checks: unknown, serviceId: string, warning: 'in' | 'out'): Health {
  const bad = itemsOf(checks)
    .map((item): Check => {
      const { CheckID, Status, Output } = membersOf(item);
      return {
        id: typeof CheckID === 'string' ? CheckID : '',
        status: typeof Status === 'string' ? Status : 'critical',
        output: Output,
      };
    })
    .filter(({ status }) => status !== 'passing');
  const isWarning = bad.length > 0 && bad.every(({ status }) => status === 'warning');
  const [only, another] = bad;
  if (only === undefined) return { status: 'UP', isWarning, isUnheard: false };
  if (bad.some(({ id }) => id === '_node_maintenance' || id.startsWith('_service_maintenance:'))) {
    return { status: 'OUTOFSERVICE', isWarning: false, isUnheard: false };
  }
  if (another === undefined && only.id === ownCheckId(serviceId)) {
    const said = statusSaidBy(only.status, only.output);
    if (said !== undefined) return { status: said, isWarning, isUnheard: false };
  }
  if (isWarning) return { status: warning === 'in' ? 'UP' : 'DOWN', isWarning, isUnheard: false };
  return { status: 'DOWN', isWarning: false, isUnheard: bad.every(isSilence) };
}

/**
 * An agent that was started again with its state takes every check for critical until somebody has looked, and says nothing of why;
 * so it does with a lease that ran out while it was away.
 */
function isSilence({ id, status, output }: Check): boolean {
  if (status !== 'critical') return false;
  return id === NODE_CHECK || output === '' || (typeof output === 'string' && output.startsWith(EXPIRED));
}
