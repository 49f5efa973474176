import type { DestinationView, RecentConnectionView, TransparentView } from '@mesher/admin';
import { MeshError, formatHostPort, isMeshError, parseHostPort } from '@mesher/core';
import type { TransparentExplanation } from '../transparent/transparent-explanation.js';
import { askAdmin, unanswered } from './ask-admin.js';
import { EXIT, type ExitCode } from './exit-codes.js';

/** What `mesher transparent` is asked for. */
export type TransparentAsked =
  | { readonly what: 'list' | 'connections' }
  | { readonly what: 'explain'; readonly destination: string; readonly protocol: string; readonly host: string };

export interface TransparentCliOptions {
  /** Address of the admin API of a running sidecar. */
  readonly admin: string;
  readonly json?: boolean;
}

const BASE = '/v1/mesher/transparent';

/**
 * `mesher transparent list|connections|explain`.
 * @returns 0; 1 when the explained connection would be passed on to nobody; 2 when the question makes no sense or nobody answers it
 */
export async function askTransparent(
  asked: TransparentAsked,
  { admin, json }: TransparentCliOptions,
  out: (text: string) => unknown,
  err: (text: string) => unknown,
): Promise<ExitCode> {
  try {
    const answer = await fetchAnswer(admin, pathOf(asked));
    out(json === true ? `${JSON.stringify(answer, undefined, 2)}\n` : textOf(asked, answer));
    if (asked.what !== 'explain') return EXIT.ok;
    const { verdict } = answer as TransparentExplanation;
    return verdict === 'loop' || verdict === 'refused' ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (!isMeshError(error)) throw error;
    err(`mesher: ${error.message}\n`);
    return EXIT.usage;
  }
}

function pathOf(asked: TransparentAsked): string {
  if (asked.what !== 'explain') return asked.what === 'list' ? BASE : `${BASE}/connections`;
  const destination = parseHostPort(asked.destination);
  if (typeof destination === 'string')
    throw new MeshError('MESH_ERR_USAGE', `the destination is '${asked.destination}', but needs ${destination}`);
  const query = new URLSearchParams({ address: destination.host, port: String(destination.port) });
  query.set('protocol', asked.protocol);
  if (asked.host !== '') query.set('host', asked.host);
  return `${BASE}/explain?${query.toString()}`;
}

async function fetchAnswer(admin: string, path: string): Promise<object> {
  const otherwise = 'It has to run with --mode=transparent';
  const { status, value } = await askAdmin({ admin, path, otherwise });
  if (status === 200 && value !== undefined) return value;
  const { message = '' } = (value ?? {}) as { message?: string };
  throw status === 400
    ? new MeshError('MESH_ERR_EXPLAIN_REQUEST', message)
    : unanswered(`the sidecar at ${admin} cannot tell (status ${status}): ${message}`);
}

function textOf(asked: TransparentAsked, answer: object): string {
  if (asked.what === 'list') return listText(answer as TransparentView);
  if (asked.what === 'connections')
    return connectionsText((answer as { connections: readonly RecentConnectionView[] }).connections);
  return explanationText(answer as TransparentExplanation);
}

function listText({ destinations, listener, runsAs }: TransparentView): string {
  const rows = destinations.map((one) => [
    one.direction,
    formatHostPort({ host: one.address, port: one.port }),
    one.service ?? one.host ?? '-',
    counts(one.protocols),
    counts(one.verdicts),
    `${one.open}/${one.connections}`,
    `${one.requestBytes}/${one.responseBytes}`,
    errorOf(one),
  ]);
  const head = [
    'direction',
    'destination',
    'service, host',
    'protocols',
    'verdicts',
    'open/all',
    'bytes up/down',
    'last error',
  ];
  return `listener ${formatHostPort(listener)}, ${runsAs}\n\n${table([head, ...rows])}`;
}

function errorOf({ lastError }: DestinationView): string {
  return lastError === undefined ? '-' : `${lastError.message} (${lastError.at})`;
}

function connectionsText(connections: readonly RecentConnectionView[]): string {
  const rows = connections.map((one) => [
    one.at,
    one.direction,
    one.client,
    one.address === '' ? '-' : formatHostPort({ host: one.address, port: one.port }),
    one.protocol ?? '-',
    one.host ?? '-',
    one.verdict ?? '-',
    `${one.requestBytes}/${one.responseBytes}`,
    one.durationMs === undefined ? '-' : `${one.durationMs} ms`,
    one.error === undefined ? one.end : `${one.end}: ${one.error}`,
  ]);
  const head = [
    'at',
    'direction',
    'client',
    'destination',
    'protocol',
    'host',
    'verdict',
    'bytes up/down',
    'took',
    'end',
  ];
  return table([head, ...rows]);
}

function explanationText({ address, port, protocol, host, steps, verdict }: TransparentExplanation): string {
  const named = host === '' ? '' : `, host ${host}`;
  const width = Math.max(...steps.map(({ stage }) => stage.length));
  const lines = steps.map(({ stage, decision }) => `  ${stage.padEnd(width)}  ${decision}`);
  return clean(`${formatHostPort({ host: address, port })}  ${protocol}${named}: ${verdict}\n\n${lines.join('\n')}\n`);
}

function counts(numbers: Readonly<Record<string, number>>): string {
  const said = Object.entries(numbers).map(([name, count]) => `${name} ${count}`);
  return said.length === 0 ? '-' : said.join(', ');
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => clean(`${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()))
    .map((line) => `${line}\n`)
    .join('');
}

/** Control characters of a name must not reach the terminal. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '?');
}
