import { RemoteDiscovery, type Instance, type Logger, type Ports, type ProblemList } from '@mesher/core';
import type { ServiceCenter } from '../client/service-center.js';
import { listEverything } from './address-index.js';
import type { Finder } from './finder.js';

export interface DiscoveryParts {
  readonly center: ServiceCenter;
  readonly finder: Finder;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly environment: string;
  readonly refreshIntervalMs: number;
  /** Lists everything for the index of addresses. */
  readonly autoIpIndex: boolean;
  /** Of the watch and the index. */
  readonly problems: ProblemList;
  /** What keeps the own registration from being in place, and TLS files from use. */
  readonly ownProblems: () => readonly string[];
  /** Ends the other parts. */
  readonly onClose: () => Promise<void>;
}

/** Finds services in service-center: those that are asked for, and no others; `app:name` means the service of one application. */
export function discoverInServiceCenter(parts: DiscoveryParts): RemoteDiscovery {
  const { center, finder, ports, logger, environment, refreshIntervalMs, problems, ownProblems, onClose } = parts;
  return new RemoteDiscovery('servicecenter', {
    ...{ finder, onClose, timers: ports.timers },
    ask: (signal) => center.mustAnswer(signal),
    listEverything: parts.autoIpIndex
      ? nobodyIfRefused(center, (signal) =>
          listEverything(...([center, environment, refreshIntervalMs, ports, logger, problems.add, signal] as const)),
        )
      : undefined,
    problems: () => [...ownProblems(), ...problems.all],
    closeClient: () => center.close(),
  });
}

type List = (signal: AbortSignal) => AsyncIterable<readonly Instance[]>;

/**
 * A service-center that does not list everything, because the account may not see it or the answer is too large, answers all the same:
 * who waits for that, with the registration for example, hears of nobody once. The list is still tried again, with its error.
 */
function nobodyIfRefused(center: ServiceCenter, list: List): List {
  let isAnswered = false;
  return async function* (signal) {
    try {
      for await (const instances of list(signal)) {
        isAnswered = true;
        yield instances;
      }
    } catch (error) {
      if (!isAnswered && !signal.aborted) {
        await center.mustAnswer(signal);
        isAnswered = true;
        yield [];
      }
      throw error;
    }
  };
}
