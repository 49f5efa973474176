import { itemsOf, membersOf, textOf, type InstanceStatus } from '@mesher/core';
import { NAME_OF_CHECK, ownCheckId, statusSaidBy } from './own-check.js';

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

/** How health is read. */
export interface HealthRules {
  /** Whether instances with a warning take calls. */
  readonly warning: 'in' | 'out';
  /** Consul could not be asked shortly before. */
  readonly isAfterTrouble?: boolean;
}

interface Check {
  readonly id: string;
  readonly name: string;
  /** How Consul finds out: `ttl`, `http`, ...; empty when somebody else writes it into the catalog. */
  readonly type: string;
  readonly status: string;
  readonly output: unknown;
}

/** Of a node whose agent cannot be reached by the others. */
const NODE_CHECK = 'serfHealth';
/** What an agent writes when a lease ran out. */
const EXPIRED = 'TTL expired';

/** What all checks of an instance say. */
export function readHealth(checks: unknown, serviceId: string, { warning, isAfterTrouble }: HealthRules): Health {
  const bad = itemsOf(checks)
    .map((item): Check => {
      const { CheckID, Name, Type, Status, Output } = membersOf(item);
      return {
        id: textOf(CheckID) ?? '',
        name: textOf(Name) ?? '',
        type: textOf(Type) ?? '',
        status: textOf(Status) ?? 'critical',
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
  return {
    status: 'DOWN',
    isWarning: false,
    isUnheard: bad.every((check) => isSilence(check, isAfterTrouble ?? false)),
  };
}

/**
 * An agent that was started again with its state takes every check for critical until somebody has looked, and says nothing of why;
 * so it does with a lease that ran out while it was away. But who keeps up a lease may fail it without a word: Mesher never does, of
 * others an empty word counts unless there is another reason for it.
 */
function isSilence({ id, name, type, status, output }: Check, isAfterTrouble: boolean): boolean {
  if (status !== 'critical') return false;
  if (id === NODE_CHECK || (typeof output === 'string' && output.startsWith(EXPIRED))) return true;
  return output === '' && type !== '' && (type !== 'ttl' || name === NAME_OF_CHECK || isAfterTrouble);
}
