import type { Family, Plan, RouteStep } from '../planning/plan.js';
import { routeCommand } from '../planning/render-routes.js';
import { mustRun, type CommandRunner } from './command-runner.js';

/** Who made a route or rule of routing; the number is ours (/etc/iproute2/rt_protos knows no such) and makes them known again. */
export const ROUTE_PROTOCOL = '149';

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** The routes and rules of routing of TPROXY. */
export class RouteKeeper {
  constructor(private readonly run: CommandRunner) {}

  /** Makes exactly these be there. @returns whether something changed */
  async install({ routes }: Pick<Plan, 'routes'>): Promise<boolean> {
    const present = await this.present();
    const missing = routes.filter((step) => !present.some((found) => sameStep(found, step)));
    const surplus = present.filter((found) => !routes.some((step) => sameStep(found, step)));
    for (const step of missing) await this.#change(step, 'add');
    for (const step of surplus) await this.#change(step, 'del');
    return missing.length + surplus.length > 0;
  }

  /** Those of ours that are there. Without the program ip there are none, since nobody can have made them. */
  async present(): Promise<readonly RouteStep[]> {
    const found: RouteStep[] = [];
    for (const family of FAMILIES) {
      found.push(...routesIn(family, await this.#show(family, 'route', ['table', 'all', 'proto', ROUTE_PROTOCOL])));
      found.push(...rulesIn(family, await this.#show(family, 'rule', [])));
    }
    return found;
  }

  async #show(family: Family, kind: string, filter: readonly string[]): Promise<string> {
    const result = await this.run('ip', [family === 'ipv4' ? '-4' : '-6', kind, 'show', ...filter]);
    // Without a table of that number there is an error instead of an empty list; without IPv6 as well.
    return result?.code === 0 ? result.stdout : '';
  }

  async #change(step: RouteStep, verb: 'add' | 'del'): Promise<void> {
    await mustRun(this.run, 'ip', [...routeCommand(step, verb), 'proto', ROUTE_PROTOCOL]);
  }
}

function routesIn(family: Family, text: string): RouteStep[] {
  return [...text.matchAll(/^local .*dev lo table (\d+)/gm)].map(([, table]) => ({
    family,
    kind: 'route',
    mark: 0,
    table: Number(table),
  }));
}

function rulesIn(family: Family, text: string): RouteStep[] {
  const rule = new RegExp(`fwmark (0x[0-9a-f]+)(?:/0xffffffff)? lookup (\\d+).* proto ${ROUTE_PROTOCOL}`, 'g');
  return [...text.matchAll(rule)].map(([, mark, table]) => ({
    family,
    kind: 'rule',
    mark: Number(mark),
    table: Number(table),
  }));
}

/** A route has no mark. */
export function sameStep(a: RouteStep, b: RouteStep): boolean {
  return a.family === b.family && a.kind === b.kind && a.table === b.table && (a.kind === 'route' || a.mark === b.mark);
}
