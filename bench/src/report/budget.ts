import { POLICY_ALL, POLICY_BASE } from '../candidates/policy-variants.js';
import type { Results } from '../measure/results.js';
import { ROWS } from '../measure/rows.js';
import { DIRECT, above } from './row-table.js';
import { figure, renderTable } from './table.js';

/** Row in which the policies are compared. */
const POLICY_ROW = 'policies-128-c64';

/** One promise, and what was measured. */
export interface BudgetLine {
  readonly promise: string;
  readonly limit: number;
  readonly unit: string;
  /** Undefined when this run did not measure it. */
  readonly measured: number | undefined;
}

const MAX_BARE_TO_HAPROXY = 1.3;
const MAX_FULL_TO_HAPROXY = 1.5;
const MAX_FULL_TO_ENVOY = 0.6;
const MAX_FULL_TO_NGINX_GRPC = 0.8;
const MAX_RELAY_TO_NGINX = 1.2;
const MAX_CONNECTION_TO_HAPROXY = 2.2;
const MAX_CHAIN_MICROS = 10;
const MAX_RESIDENT_MB = 70;
const MAX_PRIVATE_MB = 30;
const MAX_ADDED_P99_MICROS = 1_000;
const MAX_READY_MILLIS = 500;

const LOADED_CONNECTIONS = 64;

/** The rows of unary calls, and how their shape is named beside the promise. */
const GRPC_ROWS = [
  ['h2-unary-c8m16', '8 connections x 16'],
  ['h2-unary-c64m1', '64 connections x 1'],
] as const;
const GRPC_PEERS = [
  ['haproxy-h2', 'HAProxy', MAX_FULL_TO_HAPROXY],
  ['nginx-grpc', 'nginx grpc_pass', MAX_FULL_TO_NGINX_GRPC],
  ['envoy-h2', 'Envoy', MAX_FULL_TO_ENVOY],
] as const;

/** Rows with many clients that stay connected: the memory after them is what a busy sidecar holds. */
export function loadedRowIds(): readonly string[] {
  return ROWS.filter(
    (row) => row.kind === 'requests' && row.layer !== 'policies' && !row.close && row.connections >= LOADED_CONNECTIONS,
  ).map((row) => row.id);
}

/** Every row that is measured on the long-lived instance: the greatest memory after any of them is the peak. */
export function steadyRowIds(): readonly string[] {
  return ROWS.filter(
    (row) => row.layer !== 'policies' && row.kind !== 'start' && row.kind !== 'idle' && row.kind !== 'held',
  ).map((row) => row.id);
}

/** The budget of the design ("The hot path"), held against the results. */
export function budgetLines(results: Results): readonly BudgetLine[] {
  const request = (promise: string, id: string, peer: string, limit: number, row = 'l7-128-c64'): BudgetLine => ({
    promise,
    limit,
    unit: 'x',
    measured: results.ratio(row, id, peer, 'cpuMicros'),
  });
  const perGb = (promise: string, row: string): BudgetLine => ({
    promise,
    limit: MAX_RELAY_TO_NGINX,
    unit: 'x',
    measured: results.ratio(row, 'mesher-tcp', 'nginx-stream-64k', 'cpuSecondsPerGb'),
  });
  const memory = (
    promise: string,
    rows: readonly string[],
    metric: 'residentMb' | 'privateMb',
    limit: number,
  ): BudgetLine => ({ promise, limit, unit: 'MB', measured: results.greatest(rows, 'mesher', metric) });
  return [
    request('bare, CPU per request, to HAProxy', 'mesher-bare', 'haproxy', MAX_BARE_TO_HAPROXY),
    request('default chain and metrics, CPU per request, to HAProxy', 'mesher', 'haproxy', MAX_FULL_TO_HAPROXY),
    request('default chain and metrics, CPU per request, to Envoy', 'mesher', 'envoy', MAX_FULL_TO_ENVOY),
    request('default chain and metrics, 16 KB, to HAProxy', 'mesher', 'haproxy', MAX_FULL_TO_HAPROXY, 'l7-16k-c64'),
    ...GRPC_ROWS.flatMap(([row, words]) =>
      GRPC_PEERS.map(([peer, name, limit]) =>
        request(
          `gRPC, default chain and metrics, CPU per unary call, ${words}, to ${name}`,
          'mesher-h2',
          peer,
          limit,
          row,
        ),
      ),
    ),
    perGb('relay, CPU per GB down, to nginx with 64 KB buffers', 'l4-down'),
    perGb('relay, CPU per GB up, to nginx with 64 KB buffers', 'l4-up'),
    request('relay, a new connection, to HAProxy', 'mesher-tcp', 'haproxy-tcp', MAX_CONNECTION_TO_HAPROXY, 'l4-new'),
    request('HTTP, a new connection, to HAProxy', 'mesher', 'haproxy', MAX_CONNECTION_TO_HAPROXY, 'l7-new'),
    {
      promise: 'default chain and metrics, CPU per request above the bare relay',
      limit: MAX_CHAIN_MICROS,
      unit: 'us',
      measured: above(results, 'l7-128-c64', 'mesher', 'mesher-bare'),
    },
    {
      promise: 'every policy configured at once, CPU per request above the bare relay',
      limit: MAX_CHAIN_MICROS,
      unit: 'us',
      measured: above(results, POLICY_ROW, POLICY_ALL, POLICY_BASE),
    },
    memory('resident memory, 64 connections', loadedRowIds(), 'residentMb', MAX_RESIDENT_MB),
    memory('private memory, 64 connections', loadedRowIds(), 'privateMb', MAX_PRIVATE_MB),
    memory('resident memory, greatest after any row', steadyRowIds(), 'residentMb', MAX_RESIDENT_MB),
    memory('private memory, greatest after any row', steadyRowIds(), 'privateMb', MAX_PRIVATE_MB),
    {
      promise: 'added p99 at 1,000 requests/s',
      limit: MAX_ADDED_P99_MICROS,
      unit: 'us',
      measured: added(results, 'p99Micros'),
    },
    {
      promise: 'ready after start',
      limit: MAX_READY_MILLIS,
      unit: 'ms',
      measured: results.median('l7-start', 'mesher', 'readyMillis'),
    },
  ];
}

function added(results: Results, metric: 'p99Micros'): number | undefined {
  const through = results.median('l7-rate', 'mesher', metric);
  const direct = results.median('l7-rate', DIRECT.id, metric);
  return through === undefined || direct === undefined ? undefined : through - direct;
}

/** `ok`, `missed by 12 %` or `not measured`. */
export function judge({ measured, limit }: BudgetLine): string {
  if (measured === undefined) return 'not measured';
  if (measured <= limit) return 'ok';
  return `missed by ${Math.max(1, Math.round((measured / limit - 1) * 100))} %`;
}

/** The budget as a table. */
export function budgetTable(lines: readonly BudgetLine[]): string {
  return renderTable(
    [
      { title: 'promise', align: 'left' },
      { title: 'at most', align: 'right' },
      { title: 'measured', align: 'right' },
      { title: 'verdict', align: 'left' },
    ],
    lines.map((line) => [
      line.promise,
      `${line.limit.toLocaleString('en-US')} ${line.unit}`,
      line.measured === undefined ? undefined : `${figure(line.measured) ?? '-'} ${line.unit}`,
      judge(line),
    ]),
  );
}
