import type { Candidate, Layer } from '../candidates/candidate.js';
import { POLICY_BASE } from '../candidates/policy-variants.js';
import type { Metric, Results } from '../measure/results.js';
import type { Row } from '../measure/rows.js';
import { figure, renderTable, type Column } from './table.js';

/** The peers that ratios are taken against, by layer. */
export const REFERENCES: Readonly<Record<Layer, readonly (readonly [id: string, name: string])[]>> = {
  l7: [
    ['haproxy', 'HAProxy'],
    ['nginx', 'nginx'],
    ['envoy', 'Envoy'],
  ],
  h2: [
    ['haproxy-h2', 'HAProxy'],
    ['nginx-grpc', 'nginx'],
    ['envoy-h2', 'Envoy'],
    ['node-h2', 'node:http2'],
  ],
  l4: [
    ['haproxy-tcp', 'HAProxy'],
    ['nginx-stream-64k', 'nginx 64 KB'],
    ['envoy-tcp', 'Envoy'],
  ],
  policies: [[POLICY_BASE, 'without']],
};

/** No candidate at all: the load generator talks to the upstream. Measured for latency only. */
export const DIRECT = { id: 'direct', label: 'no proxy' };

/** Title of a column, and what it shows of a row and a candidate. */
type Cell = readonly [title: string, show: (results: Results, row: string, id: string) => string | undefined];

interface Shape {
  /** The metric that ratios are taken of. */
  readonly principal: Metric;
  readonly columns: readonly Cell[];
}

const middle =
  (metric: Metric) =>
  (results: Results, row: string, id: string): string | undefined =>
    figure(results.median(row, id, metric));

const middleAndLeast =
  (metric: Metric) =>
  (results: Results, row: string, id: string): string | undefined => {
    const value = figure(results.median(row, id, metric));
    return value === undefined ? undefined : `${value} (${figure(results.least(row, id, metric)) ?? '-'})`;
  };

const pair =
  (left: Metric, right: Metric) =>
  (results: Results, row: string, id: string): string | undefined => {
    const value = figure(results.median(row, id, left));
    return value === undefined ? undefined : `${value} / ${figure(results.median(row, id, right)) ?? '-'}`;
  };

const REQUEST_COLUMNS: Shape['columns'] = [
  ['CPU us/request (min)', middleAndLeast('cpuMicros')],
  ['user / sys', pair('userMicros', 'systemMicros')],
  ['requests/s', middle('perSecond')],
  ['p50 us', middle('p50Micros')],
  ['p99 us', middle('p99Micros')],
];

const BULK: Shape = {
  principal: 'cpuSecondsPerGb',
  columns: [
    ['CPU s/GB (min)', middleAndLeast('cpuSecondsPerGb')],
    ['GB/s', middle('gbPerSecond')],
  ],
};

/** How many microseconds of CPU more a request costs through one candidate than through another. */
export function above(results: Results, row: string, id: string, base: string): number | undefined {
  const own = results.median(row, id, 'cpuMicros');
  const without = results.median(row, base, 'cpuMicros');
  return own === undefined || without === undefined ? undefined : own - without;
}

/** What a policy adds to a request. */
const OVER_BASE: Cell = [
  'us more than without',
  (results, row, id) => (id === POLICY_BASE ? undefined : above(results, row, id, POLICY_BASE)?.toFixed(1)),
];

const SHAPES: Readonly<Record<Row['kind'], Shape>> = {
  requests: { principal: 'cpuMicros', columns: REQUEST_COLUMNS },
  rate: { principal: 'p99Micros', columns: REQUEST_COLUMNS },
  bulk: BULK,
  calls: {
    principal: 'cpuMicros',
    columns: [
      ['CPU us/call (min)', middleAndLeast('cpuMicros')],
      ['user / sys', pair('userMicros', 'systemMicros')],
      ['calls/s', middle('perSecond')],
      ['mean us', middle('meanMicros')],
      ['resident MB', middle('residentMb')],
    ],
  },
  streaming: { principal: BULK.principal, columns: [...BULK.columns, ['resident MB', middle('residentMb')]] },
  held: {
    principal: 'residentMb',
    columns: [
      ['connections', middle('heldConnections')],
      ['open calls', middle('heldCalls')],
      ['resident MB', middle('residentMb')],
      ['private MB', middle('privateMb')],
      ['private KB/connection', middle('privateKbPerConnection')],
      ['private KB/call', middle('privateKbPerCall')],
    ],
  },
  start: {
    principal: 'residentMb',
    columns: [
      ['ready after ms', middle('readyMillis')],
      ['idle resident MB', middle('residentMb')],
      ['idle private MB', middle('privateMb')],
    ],
  },
  idle: {
    principal: 'residentKbPerConnection',
    columns: [
      ['connections', middle('heldConnections')],
      ['resident MB', middle('residentMb')],
      ['private MB', middle('privateMb')],
      ['resident KB/connection', middle('residentKbPerConnection')],
      ['private KB/connection', middle('privateKbPerConnection')],
    ],
  },
};

/** Rows whose samples say how much memory a candidate holds while it works, and at its greatest. */
export interface MemoryRows {
  readonly loaded: readonly string[];
  readonly steady: readonly string[];
}

/** The table of one row: a line per candidate, its ratios to the peers, and how many of its samples count. */
export function rowTable(row: Row, candidates: readonly Candidate[], results: Results, memory: MemoryRows): string {
  const shape = SHAPES[row.kind];
  const lines: readonly { readonly id: string; readonly label: string }[] =
    row.kind === 'rate' ? [DIRECT, ...candidates] : candidates;
  const references = REFERENCES[row.layer].filter(([id]) => results.median(row.id, id, shape.principal) !== undefined);
  const cells: readonly Cell[] = [
    ...shape.columns,
    ...(row.kind === 'start' ? memoryColumns(memory) : []),
    ...(row.layer === 'policies' ? [OVER_BASE] : []),
    ...references.map(([id, name]): Cell => [
      `x ${name}`,
      (_, __, own) => ratio(results, row.id, own, id, shape.principal),
    ]),
    ['samples', sampleCell],
  ];
  const columns: Column[] = [
    { title: 'candidate', align: 'left' },
    ...cells.map(([title]): Column => ({ title, align: 'right' })),
  ];
  return renderTable(
    columns,
    lines.map(({ id, label }) => [label, ...cells.map(([, cell]) => cell(results, row.id, id))]),
  );
}

function memoryColumns({ loaded, steady }: MemoryRows): readonly Cell[] {
  return [
    ['64 conn. resident MB', (results, _, id) => figure(results.greatest(loaded, id, 'residentMb'))],
    ['64 conn. private MB', (results, _, id) => figure(results.greatest(loaded, id, 'privateMb'))],
    ['greatest resident MB', (results, _, id) => figure(results.greatest(steady, id, 'residentMb'))],
    ['greatest private MB', (results, _, id) => figure(results.greatest(steady, id, 'privateMb'))],
  ];
}

function ratio(results: Results, row: string, id: string, reference: string, metric: Metric): string | undefined {
  if (id === DIRECT.id) return undefined;
  return results.ratio(row, id, reference, metric)?.toFixed(2);
}

function sampleCell(results: Results, row: string, id: string): string {
  const all = results.of(row, id).length;
  const invalid = results.faults(row, id).length;
  return invalid === 0 ? String(all) : `${all - invalid} of ${all}, INVALID ${invalid}`;
}
