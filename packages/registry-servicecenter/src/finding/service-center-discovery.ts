import { RemoteDiscovery, type Logger, type Ports, type ProblemList } from '@mesher/core';
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
    ask: (signal) => center.nodes(signal),
    listEverything: parts.autoIpIndex
      ? (signal) =>
          listEverything(...([center, environment, refreshIntervalMs, ports, logger, problems.add, signal] as const))
      : undefined,
    problems: () => [...ownProblems(), ...problems.all],
    closeClient: () => center.close(),
  });
}
