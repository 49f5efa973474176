import type { Candidate, Missing } from '../candidates/candidate.js';
import type { Results } from '../measure/results.js';
import type { Row } from '../measure/rows.js';
import { budgetLines, budgetTable, loadedRowIds, steadyRowIds } from './budget.js';
import { DIRECT, rowTable } from './row-table.js';

/** Everything that a report is made of. */
export interface ReportInput {
  readonly date: Date;
  readonly machine: string;
  readonly versions: readonly string[];
  readonly method: readonly string[];
  readonly rows: readonly Row[];
  readonly candidates: readonly Candidate[];
  readonly results: Results;
  readonly missing: readonly Missing[];
  readonly failed: readonly Missing[];
  readonly remarks: readonly string[];
}

const LAYER_TITLES = {
  l7: 'HTTP/1.1 proxying',
  h2: 'HTTP/2 and gRPC proxying',
  l4: 'TCP relay',
  policies: 'What each policy costs',
} as const;

/** The report as Markdown, which is also what is printed. */
export function renderReport(input: ReportInput): string {
  const parts = [
    '# Performance',
    `Measured on ${input.date.toISOString().slice(0, 10)} by \`npm run bench\`, which writes this page (\`--write\`). ` +
      'How to install the peers and what each row means is in [bench/README.md](../bench/README.md); ' +
      'where memory and start-up time go, in [memory.md](memory.md).',
    '## Machine and programs',
    list([`Machine: ${input.machine}`, ...input.versions]),
    '## Method',
    list(input.method),
    '## Budget',
    'CPU is compared at 64 connections unless a line says otherwise.',
    budgetTable(budgetLines(input.results)),
  ];
  const memory = { loaded: loadedRowIds(), steady: steadyRowIds() };
  for (const layer of ['l7', 'h2', 'l4', 'policies'] as const) {
    const candidates = input.candidates.filter((candidate) => candidate.layer === layer);
    const rows = input.rows.filter((row) => row.layer === layer);
    if (candidates.length === 0 || rows.length === 0) continue;
    parts.push(`## ${LAYER_TITLES[layer]}`);
    for (const row of rows) parts.push(`### ${row.title}`, rowTable(row, candidates, input.results, memory));
  }
  const notes = [...input.remarks, ...faultNotes(input)];
  notes.push(...input.missing.map(({ id, reason }) => `Not measured: ${id}: ${reason}`));
  notes.push(...input.failed.map(({ id, reason }) => `Left out: ${id}: ${reason}`));
  if (notes.length > 0) parts.push('## Notes', list(notes));
  return `${parts.join('\n\n')}\n`;
}

/** Whether a measured cell has no valid sample at all, or a candidate failed: then the run as a whole has failed. */
export function hasFailed({ rows, candidates, results, failed }: ReportInput): boolean {
  if (failed.length > 0) return true;
  return rows.some((row) =>
    candidates.some(({ id }) => {
      const samples = results.of(row.id, id);
      return samples.length > 0 && samples.every(({ fault }) => fault !== undefined);
    }),
  );
}

function faultNotes({ rows, candidates, results }: ReportInput): string[] {
  const ids = [DIRECT.id, ...candidates.map(({ id }) => id)];
  return rows.flatMap((row) =>
    ids.flatMap((id) => {
      const faults = results.faults(row.id, id);
      return faults.length === 0 ? [] : [`INVALID: ${row.id}, ${id}: ${[...new Set(faults)].join('; ')}`];
    }),
  );
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item.replaceAll(/\s*\n\s*/g, ' ')}`).join('\n');
}
