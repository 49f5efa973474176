import { NO_PLUGINS } from '../plugin/installed-plugins.js';
import type { Ports } from '../ports/ports.js';
import type { BalanceRules } from './balance-rules.js';
import { BalanceReports } from './balance-reports.js';
import { compileBalance, type Balance, type Balancing } from './balancing.js';
import type { BalancerFactory } from './load-balancer.js';
import { OutlierSweeper } from './outlier-sweeper.js';

/** The rules of a configuration that says nothing about load balancing. */
export const PLAIN_RULES: BalanceRules = {
  strategy: 'RoundRobin',
  hash: { header: undefined, cookie: undefined, cookieTtlS: undefined, query: undefined, path: false, source: false },
  session: { cookieName: 'go-chassisLB', timeoutS: 30, failures: 5, secret: 'secret' },
  latencyDecayMs: 10_000,
  near: undefined,
  overprovisioning: 1.4,
  panicThreshold: 0.5,
  slowStart: undefined,
  outlier: undefined,
};

export interface SteadySettings extends Partial<BalanceRules> {
  /** Takes the place of the strategy. */
  readonly factory?: BalancerFactory;
  readonly reports?: BalanceReports;
}

/** The same rules for every service, for as long as the process lives: for tests, simulations, and chassis without a configuration. */
export function steadyBalancing(ports: Ports, { factory, reports, ...rules }: SteadySettings = {}): Balancing {
  const all = { ...PLAIN_RULES, ...rules };
  return {
    generation: 0,
    reports: reports ?? new BalanceReports(),
    sweeper: new OutlierSweeper(ports),
    of: (service): Balance => {
      const balance = compileBalance(all, service, ports, NO_PLUGINS);
      if (factory === undefined) return balance;
      return { ...balance, strategy: { name: 'custom', factory, passesOver: false, listens: true, warmsUp: true } };
    },
  };
}
