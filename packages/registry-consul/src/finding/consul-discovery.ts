import { RemoteDiscovery, type Ports } from '@mesher/core';
import type { ConsulClient } from '../client/consul-client.js';
import { ConsulError } from '../client/consul-error.js';
import { AddressIndex, type IndexSettings } from './address-index.js';
import type { ConsulFinder } from './consul-finder.js';

export interface DiscoveryParts {
  readonly client: ConsulClient;
  readonly finder: ConsulFinder;
  readonly ports: Ports;
  /** How everything is listed for the index of addresses; undefined when nobody wants it. */
  readonly index: IndexSettings | undefined;
  /** What keeps the own registration from being in place. */
  readonly registrationProblems: () => readonly string[];
  /** Ends the other parts. */
  readonly onClose: () => Promise<void>;
}

/** Finds services in Consul: those that are asked for, and no others. */
export function discoverInConsul(parts: DiscoveryParts): RemoteDiscovery {
  const { client, finder, ports, index, registrationProblems, onClose } = parts;
  const everything = index && new AddressIndex(client, index, ports, finder.addProblem);
  return new RemoteDiscovery('consul', {
    ...{ finder, onClose, timers: ports.timers },
    ask: async (signal) => {
      if ((await client.leader(signal)) !== '') return;
      throw new ConsulError('CONSUL_UNREACHABLE', `Consul at ${client.origin} has no leader`);
    },
    listEverything: everything && ((signal) => everything.list(signal)),
    problems: () => [...registrationProblems(), ...client.problems],
    closeClient: () => client.close(),
  });
}
