import type { LiveConfiguration } from '../config/live/live-configuration.js';
import type { MeshDocument } from '../config/document.js';
import { loadbalanceSchema } from '../config/sections/loadbalance.js';
import type { InstalledPlugins } from '../plugin/installed-plugins.js';
import type { Ports } from '../ports/ports.js';
import type { BalanceReports } from './balance-reports.js';
import { readBalanceRules, type BalanceRules } from './balance-rules.js';
import { OutlierSweeper } from './outlier-sweeper.js';
import { hereOf } from './here.js';
import { makeStrategy, SESSION_STICKINESS } from './strategies.js';
import type { Strategy } from './strategy.js';

/** How a service is balanced, compiled. */
export interface Balance extends Omit<BalanceRules, 'strategy' | 'session'> {
  readonly strategy: Strategy;
  /** Undefined unless clients stay with an instance. */
  readonly session: BalanceRules['session'] | undefined;
  /** Equal for equal rules, so that a change of others costs nothing. */
  readonly fingerprint: string;
}

/** Knows how the calls of each service are balanced. */
export interface Balancing {
  /** Another number whenever some service may be balanced in another way than before. */
  readonly generation: number;
  readonly reports: BalanceReports;
  readonly sweeper: OutlierSweeper;
  of(service: string): Balance;
}

/** What a {@link LiveBalancing} is made with. */
export interface BalancingContext {
  readonly ports: Ports;
  readonly configuration: LiveConfiguration;
  readonly plugins: InstalledPlugins;
  readonly reports: BalanceReports;
}

/** Follows `cse.loadbalance` of the configuration in effect. */
export class LiveBalancing implements Balancing {
  readonly reports: BalanceReports;
  readonly sweeper: OutlierSweeper;
  #generation = 0;
  #document: MeshDocument;

  /** @throws MeshError MESH_ERR_UNKNOWN_STRATEGY, MESH_ERR_NOTHING_TO_HASH as {@link checkBalancing} */
  constructor(private readonly context: BalancingContext) {
    const { configuration, plugins, ports, reports } = context;
    this.reports = reports;
    this.sweeper = new OutlierSweeper(ports);
    this.#document = configuration.document;
    checkBalancing(this.#document, plugins);
    configuration.onCheck((document) => checkBalancing(document, plugins));
    configuration.onChange((document) => {
      // Whoever swaps documents has asked the checks; if not, the error is logged, and services are balanced as before.
      checkBalancing(document, plugins);
      this.#document = document;
      this.#generation++;
    });
  }

  get generation(): number {
    return this.#generation;
  }

  of(service: string): Balance {
    const { plugins, ports } = this.context;
    const section = this.#document.section('cse.loadbalance', loadbalanceSchema);
    return compileBalance(readBalanceRules(section, service, hereOf(this.#document)), service, ports, plugins);
  }
}

/**
 * Finds what only the plugins tell to be wrong; to be asked before a document is put in effect.
 * @throws MeshError MESH_ERR_UNKNOWN_STRATEGY naming the known ones, MESH_ERR_NOTHING_TO_HASH
 */
export function checkBalancing(document: MeshDocument, plugins: InstalledPlugins): void {
  const section = document.section('cse.loadbalance', loadbalanceSchema);
  for (const service of ['', ...section.services.keys()]) {
    makeStrategy(readBalanceRules(section, service, hereOf(document)), service, NO_RANDOM, plugins);
  }
}

/** A balance that has these rules. */
export function compileBalance(rules: BalanceRules, service: string, ports: Ports, plugins: InstalledPlugins): Balance {
  const strategy = makeStrategy(rules, service, ports.random, plugins);
  return {
    ...rules,
    strategy,
    session: strategy.name === SESSION_STICKINESS ? rules.session : undefined,
    fingerprint: JSON.stringify(rules),
  };
}

/** Checks draw nothing. */
const NO_RANDOM = { next: () => 0 };
