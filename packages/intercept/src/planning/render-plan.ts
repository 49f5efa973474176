import type { Family, Plan, Rule } from './plan.js';
import { renderIptables, renderIptablesAction, renderIptablesMatch } from './render-iptables.js';
import { renderNft } from './render-nft.js';
import { renderRoutes } from './render-routes.js';

export const PLAN_FORMATS = ['table', 'iptables', 'nft', 'json'] as const;
export type PlanFormat = (typeof PLAN_FORMATS)[number];

/** The plan for people (`table`), for a tool that applies it (`iptables`, `nft`), or for programs (`json`). */
export function renderPlan(plan: Plan, format: PlanFormat): string {
  switch (format) {
    case 'table':
      return renderTable(plan);
    case 'iptables':
      return `${plan.families.map((family) => renderRestore(plan, family)).join('')}${routesAsComments(plan)}`;
    case 'nft':
      return `${renderNft(plan)}${routesAsComments(plan)}`;
    case 'json':
      return `${JSON.stringify(plan, undefined, 2)}\n`;
  }
}

function renderRestore(plan: Plan, family: Family): string {
  const program = family === 'ipv4' ? 'iptables-restore' : 'ip6tables-restore';
  return `# ${program} --noflush\n${renderIptables(plan, family)}`;
}

function routesAsComments(plan: Plan): string {
  return renderRoutes(plan).replaceAll(/^/gm, '# ').replace(/# $/, '');
}

const COLUMNS = ['family', 'table', 'chain', 'what', 'then', 'why'] as const;

function renderTable(plan: Plan): string {
  const rows = [COLUMNS, ...plan.rules.map(rowOf)];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n${renderRoutes(plan)}`;
}

function rowOf(rule: Rule): readonly string[] {
  const { family, table, chain, match, reason } = rule;
  const what = renderIptablesMatch(match) || 'everything';
  return [family, table, chain, what, renderIptablesAction(rule).replace('-j ', ''), reason];
}
