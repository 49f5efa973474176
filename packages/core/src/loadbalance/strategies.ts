import { MeshError } from '../errors.js';
import type { InstalledPlugins } from '../plugin/installed-plugins.js';
import type { Random } from '../ports/ports.js';
import { Endpoint } from '../registry/endpoint.js';
import type { BalanceRules } from './balance-rules.js';
import { HashKey } from './hash/hash-key.js';
import { maglev } from './hash/maglev.js';
import { avalanche } from './hash/murmur3.js';
import { ringHash } from './hash/ring-hash.js';
import { leastRequest } from './least-request.js';
import type { BalancerFactory } from './load-balancer.js';
import { peakEwma } from './peak-ewma.js';
import { randomChoice } from './random.js';
import { roundRobin } from './round-robin.js';
import type { Strategy } from './strategy.js';
import { weightedResponse } from './weighted-response.js';

type StrategyMaker = (rules: BalanceRules, random: Random) => Strategy;

const DRAWN = { passesOver: false, warmsUp: true, listens: false } as const;
const LEARNED = { ...DRAWN, listens: true } as const;

/** The strategies of Mesher, by the name that go-chassis and people use. */
const STRATEGIES: Readonly<Record<string, StrategyMaker>> = {
  RoundRobin: () => ({ name: 'RoundRobin', factory: roundRobin, leftTo: randomChoice, ...DRAWN }),
  Random: () => ({ name: 'Random', factory: randomChoice, ...DRAWN }),
  WeightedResponse: ({ latencyDecayMs }) => ({
    name: 'WeightedResponse',
    ...weightedResponse(latencyDecayMs),
    ...LEARNED,
  }),
  // Sessions stand above the choice of an instance: this is what new ones get.
  SessionStickiness: () => ({ name: SESSION_STICKINESS, factory: roundRobin, leftTo: randomChoice, ...DRAWN }),
  LeastRequest: () => ({ name: 'LeastRequest', factory: leastRequest, ...DRAWN }),
  PeakEWMA: ({ latencyDecayMs }) => ({ name: 'PeakEWMA', ...peakEwma(latencyDecayMs), ...LEARNED }),
  RingHash: (rules, random) => hashing('RingHash', rules, random, ringHash),
  Maglev: (rules, random) => hashing('Maglev', rules, random, maglev),
};

/** The strategy that keeps clients at an instance by a cookie. */
export const SESSION_STICKINESS = 'SessionStickiness';

const TWO_32 = 2 ** 32;

/** Makes another hash than the one that chooses the endpoint: a zone must not get all keys of one part of the ring. */
const PLACE_SALT = 0x5bd1e995;

function hashing(
  name: string,
  { hash }: BalanceRules,
  random: Random,
  make: (key: HashKey) => Strategy['factory'],
): Strategy {
  const key = new HashKey(hash, random);
  return {
    name,
    factory: make(key),
    passesOver: true,
    listens: false,
    warmsUp: false,
    place: (call) => avalanche(key.of(call) ^ PLACE_SALT) / TWO_32,
  };
}

/** Letter case and the parting of words do not count: `least-request` and `least_request` are LeastRequest. */
function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, '');
}

const BY_FOLDED_NAME: ReadonlyMap<string, StrategyMaker> = new Map(
  Object.entries(STRATEGIES).map(([name, maker]) => [folded(name), maker]),
);

/**
 * The strategy that `rules` name, one of Mesher or of a plugin.
 * @throws MeshError MESH_ERR_UNKNOWN_STRATEGY naming the known ones; MESH_ERR_NOTHING_TO_HASH
 */
export function makeStrategy(
  rules: BalanceRules,
  service: string,
  random: Random,
  plugins: InstalledPlugins,
): Strategy {
  const maker = BY_FOLDED_NAME.get(folded(rules.strategy));
  if (maker === undefined) return fromPlugin(rules.strategy, service, plugins);
  const strategy = maker(rules, random);
  if (strategy.passesOver && !new HashKey(rules.hash, random).isConfigured) {
    throw new MeshError(
      'MESH_ERR_NOTHING_TO_HASH',
      `${where(service)} names the strategy '${rules.strategy}', which needs something to hash: set hash.header, hash.cookie, hash.query, hash.path or hash.source beside it`,
    );
  }
  return strategy;
}

function fromPlugin(name: string, service: string, plugins: InstalledPlugins): Strategy {
  const known = plugins.names('load-balancer');
  const found = known.find((one) => one === name) ?? known.find((one) => folded(one) === folded(name));
  const factory = found === undefined ? undefined : plugins.find('load-balancer', found);
  if (found === undefined || factory === undefined) {
    throw new MeshError(
      'MESH_ERR_UNKNOWN_STRATEGY',
      `${where(service)} names the strategy '${name}', which does not exist; known are ${[...Object.keys(STRATEGIES), ...known].join(', ')}`,
    );
  }
  return { name: found, factory: checkingPicks(found, factory), ...LEARNED };
}

/** Plugins are written in JavaScript, too: what is no endpoint ends the call with an error, and not the process. */
function checkingPicks(name: string, factory: BalancerFactory): BalancerFactory {
  return (endpoints, ports, gate) => {
    const balancer = factory(endpoints, ports, gate);
    return {
      pick: (call, tried) => {
        const picked: unknown = balancer.pick(call, tried);
        if (picked === undefined || picked instanceof Endpoint) return picked;
        throw new TypeError(`the load balancer '${name}' picked what is no endpoint`);
      },
      ...(balancer.observe === undefined ? {} : { observe: balancer.observe.bind(balancer) }),
      ...(balancer.shares === undefined ? {} : { shares: balancer.shares.bind(balancer) }),
    };
  };
}

function where(service: string): string {
  return service === '' ? 'cse.loadbalance' : `cse.loadbalance.${service}`;
}
