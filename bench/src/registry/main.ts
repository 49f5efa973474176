import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { helperProgram } from '../process/helper-program.js';
import { describeMachine } from '../report/machine.js';
import { median } from '../measure/statistics.js';
import { figure, renderTable } from '../report/table.js';
import { writePart } from './guide.js';
import type { ClientTask, FleetTask, Measured, Turn } from './fleet.js';

/**
 * How long ten thousand instances keep the event loop: `npm run bench:registry`, with `-- --write` into the guide. A service-center of the tests' own runs in another
 * process; the client is the registry with the directory of services over it, as in the sidecar.
 */

const INSTANCES = 10_000;
const ROUNDS = 7;
/** What the sidecar gives itself; see packages/mesher/src/runtime/young-generation.ts. */
const YOUNG_GENERATION = ['--min-semi-space-size=8', '--max-semi-space-size=8'];

const started: ChildProcess[] = [];

function start(module: string, task: object, flags: readonly string[], onLine: (line: string) => void): ChildProcess {
  const { command, args } = helperProgram(module, undefined, task);
  const child = spawn(command, [...flags, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', onLine);
  started.push(child);
  return child;
}

async function startServer(): Promise<{ readonly address: string; readonly change: () => void }> {
  const task: FleetTask = { instances: INSTANCES };
  return await new Promise((resolve, reject) => {
    const child = start('registry/server-main.js', task, [], (line) => {
      const { address } = JSON.parse(line) as { readonly address: string };
      resolve({ address, change: () => void child.stdin?.write('change\n') });
    });
    child.once('exit', () => reject(new Error('the registry of the bench has ended')));
  });
}

async function measure(task: ClientTask, change: () => void): Promise<readonly Measured[]> {
  return await new Promise((resolve, reject) => {
    const child = start('registry/client-main.js', task, YOUNG_GENERATION, (line) => {
      const message = JSON.parse(line) as { readonly change?: true; readonly results?: readonly Measured[] };
      if (message.change === true) change();
      if (message.results !== undefined) resolve(message.results);
    });
    child.once('exit', () => reject(new Error('the client of the bench has ended')));
  });
}

function row({ what, turns, doneMs }: Measured): readonly (string | undefined)[] {
  const cpu = turns.flatMap((turn: Turn) => turn.cpu ?? []);
  const wall = turns.map((turn) => turn.wall);
  return [
    what,
    figure(cpu.length === 0 ? undefined : median(cpu)),
    figure(cpu.length === 0 ? undefined : Math.max(...cpu)),
    figure(median(wall)),
    figure(Math.max(...wall)),
    figure(median(doneMs)),
  ];
}

const confDir = await mkdtemp(join(tmpdir(), 'mesher-bench-'));
try {
  const { address, change } = await startServer();
  const results: Measured[] = [];
  for (const everything of [false, true]) {
    const index = `servicecomb.registry.autoIPIndex: ${String(everything)}`;
    await writeFile(join(confDir, 'chassis.yaml'), `servicecomb.registry.address: ${address}\n${index}\n`);
    await writeFile(join(confDir, 'microservice.yaml'), 'servicecomb.service: { name: caller, app: shop }\n');
    results.push(...(await measure({ address, confDir, rounds: ROUNDS, everything }, change)));
  }
  const titles = ['longest turn, CPU ms: median', 'worst', 'by the clock, ms: median', 'worst', 'until known, ms'];
  const columns = [
    { title: `${INSTANCES.toLocaleString('en')} instances`, align: 'left' as const },
    ...titles.map((title) => ({ title, align: 'right' as const })),
  ];
  const table = renderTable(columns, results.map(row));
  // The clock counts others, too.
  const busy = `load average ${(loadavg()[0] ?? 0).toFixed(1)}`;
  const report = `${describeMachine()}, ${busy}; Node ${process.version}; ${ROUNDS} rounds.\n\n${table}`;
  process.stdout.write(`${report}\n`);
  if (process.argv.includes('--write')) writePart('figures', report);
} finally {
  for (const child of started) child.kill();
  await rm(confDir, { recursive: true, force: true });
}
process.exit(0);
