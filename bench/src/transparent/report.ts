import { median } from '../measure/statistics.js';
import { describeMachine } from '../report/machine.js';
import { figure, renderTable } from '../report/table.js';
import { drawBars } from '../simulation/charts.js';
import { ROWS, type RowId, type Samples } from './rows.js';

/** What was measured of one subject. */
export interface Measured {
  readonly id: string;
  readonly label: string;
  readonly samples: Samples;
}

/** What the page says besides the figures. */
export interface Circumstances {
  readonly rounds: number;
  readonly seconds: number;
  readonly isPinned: boolean;
  readonly crowd: number;
  readonly missing: readonly string[];
  readonly failures: readonly string[];
}

export const PICTURE = 'transparent-performance.svg';
/** Whoever has no interceptor in the way. */
export const DIRECT = 'direct';

/** The middle of a row's samples; latencies are told as what they add to a direct connection. */
export function valueOf(row: RowId, of: Measured, direct: Measured | undefined): number | undefined {
  const own = median(of.samples.get(row) ?? []);
  if (own === undefined || (row !== 'p50' && row !== 'p99')) return own;
  const base = median(direct?.samples.get(row) ?? []);
  return base === undefined ? undefined : own - base;
}

/** The page: how it was measured, the table, what netramesh promises, and the picture. */
export function renderPage(measured: readonly Measured[], circumstances: Circumstances): string {
  const direct = measured.find(({ id }) => id === DIRECT);
  const subjects = measured.filter(({ id }) => id !== DIRECT);
  const { crowd, failures, isPinned, missing, rounds, seconds } = circumstances;
  const rows = ROWS.map(({ id, title, unit }) => [
    id === 'crowd' ? title.replace('10,000', crowd.toLocaleString('en-US')) : title,
    unit,
    ...subjects.map((one) => figure(valueOf(id, one, direct))),
  ]);
  const table = renderTable(
    [
      { title: 'of', align: 'left' },
      { title: 'unit', align: 'left' },
      ...subjects.map(({ label }) => ({ title: label, align: 'right' }) as const),
    ],
    rows,
  );
  const base = (['p50', 'p99'] as const).map((row) => figure(median(direct?.samples.get(row) ?? [])));
  return `# What the transparent mode costs

Written by \`npm run bench:transparent -- --write\`, which needs root. The rules of \`mesher intercept apply\` stand in a network namespace of their own and
bring the connections of one user to each candidate in turn; the servers are in another namespace, behind a pair of virtual cables.

![CPU per piece of work, beside HAProxy](../images/${PICTURE})

${table}

- Machine: ${describeMachine()}.
- ${isPinned ? 'The candidate has core 0; servers and load share core 1. ' : ''}All candidates stay alive and are measured in turn, ${rounds} rounds of ${seconds} s; figures are medians. CPU is that of the
  candidate alone, user and kernel; it counts in ticks of 10 ms. Differences below 10 % mean nothing.
- A direct connection takes ${base[0] ?? '-'} us for a byte there and back (p50), ${base[1] ?? '-'} us (p99); the rows of latency are what comes on top. One connection, closed loop.
- HAProxy (one thread) runs in TCP mode with \`server original 0.0.0.0:0\`: it asks for the original destination as the others do. Envoy (one worker)
  has its listener filter \`original_dst\` and a cluster of that type. netramesh runs with GOMAXPROCS=1.
- "Spans of every request": the sidecar sends them to a server that takes them all, netramesh by UDP to where nobody listens. Others see bytes only.
- Memory of the kernel's sockets is not included.
${[...missing.map((one) => `- Not measured: ${one}.`), ...distinct(failures).map((one) => `- Failed: ${one}.`)].map((text) => `${text}\n`).join('')}
${promise(subjects, direct)}
`;
}

/** netramesh says of itself: 10 to 50 MB, and about 1 ms. */
function promise(subjects: readonly Measured[], direct: Measured | undefined): string {
  const own = subjects.find(({ id }) => id === 'mesher');
  if (own === undefined) return '';
  const [idle, loaded, p50, p99] = PROMISED.map((row) => valueOf(row, own, direct));
  const netramesh = subjects.find(({ id }) => id === 'netramesh');
  const said = (value: number | undefined): string => figure(value) ?? '-';
  const latency = p99 !== undefined && p99 <= 1_000 ? 'kept' : 'missed';
  const memory = loaded !== undefined && loaded <= 50 ? 'kept' : 'missed';
  return `## netramesh's promise

netramesh promises 10 to 50 MB and about 1 ms for each sidecar, and shows no measurement. Of the sidecar here: 1 ms is ${latency} (p50 adds ${said(p50)} us, p99 ${said(p99)} us);
50 MB are ${memory} (${said(idle)} MB at the start, ${said(loaded)} MB after the load): Node.js alone takes 41 MB.${
    netramesh === undefined
      ? ''
      : `
netramesh itself, in the same run: ${PROMISED.map((row, index) => `${said(valueOf(row, netramesh, direct))} ${PROMISED_UNITS[index]}`).join(', ')}.`
  }`;
}

const PROMISED = ['idle', 'loaded', 'p50', 'p99'] as const;
const PROMISED_UNITS = ['MB at the start', 'MB after the load', 'us added at p50', 'us at p99'] as const;

const CHARTED: readonly RowId[] = ['down', 'up', 'both', 'turn', 'new', 'http'];

/** CPU of each row in units of HAProxy's, or of the first subject's where HAProxy is missing. */
export function drawPicture(measured: readonly Measured[]): string {
  const subjects = measured.filter(({ id }) => id !== DIRECT && !id.endsWith('-spans'));
  const base = subjects.find(({ id }) => id === 'haproxy') ?? subjects[0];
  const ratio = (row: RowId, one: Measured): number => {
    const own = valueOf(row, one, undefined) ?? 0;
    const unit = base === undefined ? 1 : (valueOf(row, base, undefined) ?? 1);
    return own / unit;
  };
  return drawBars({
    title: 'CPU of the transparent mode',
    text: 'Connections brought by rules of interception and passed on as bytes; less is better',
    axis: `times the CPU of ${base?.label ?? 'the first'}`,
    series: subjects.map(({ label }) => label),
    rows: CHARTED.map((row) => ({ label: CHART_LABELS[row] ?? row, values: subjects.map((one) => ratio(row, one)) })),
    show: (value) => `${value.toFixed(2)} x`,
  });
}

const CHART_LABELS: Partial<Record<RowId, string>> = {
  down: 'download',
  up: 'upload',
  both: 'both ways',
  turn: 'one byte and back',
  new: 'new connection',
  http: 'HTTP request',
};

/** One of each kind: who fails in one round does so in each, with other figures. */
function distinct(failures: readonly string[]): string[] {
  return [...new Map(failures.map((one) => [one.split(':', 1)[0], one])).values()];
}
