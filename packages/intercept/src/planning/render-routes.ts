import type { Plan, RouteStep } from './plan.js';

/** Arguments of `ip` that add a step, or take it away. */
export function routeCommand({ family, kind, mark, table }: RouteStep, verb: 'add' | 'del'): readonly string[] {
  const version = family === 'ipv4' ? '-4' : '-6';
  const what =
    kind === 'rule'
      ? ['fwmark', String(mark), 'lookup', String(table)]
      : ['local', family === 'ipv4' ? '0.0.0.0/0' : '::/0', 'dev', 'lo', 'table', String(table)];
  return [version, kind, verb, ...what];
}

/** The commands of routing, one per line. */
export function renderRoutes({ routes }: Plan): string {
  return routes.map((step) => `ip ${routeCommand(step, 'add').join(' ')}\n`).join('');
}
