import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Lab } from '../process/lab.js';
import { findInterceptors, type Interceptor } from './interceptors.js';
import { BenchNetwork } from './network.js';
import { DIRECT, drawPicture, PICTURE, renderPage, type Measured } from './report.js';
import { add } from './rows.js';
import { residentMb, Sampler } from './sampling.js';
import { startServers } from './servers.js';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const HELP = `npm run bench:transparent -- [--rounds 3] [--seconds 2] [--crowd 10000] [--only mesher,haproxy] [--write]

Measures the transparent mode beside netramesh (MESHER_NETRAMESH=/path), HAProxy and Envoy. Needs root, nginx and wrk.
--write writes docs/guides/transparent-performance.md and its picture.
`;
/** Whom the rules leave alone. */
const SIDECAR = 1_337;
const PROXY_CORE = 0;
const LOAD_CORE = 1;
const START_MS = 4_000;
/** Descriptors of a relay besides two for each connection. */
const OTHER_DESCRIPTORS = 200;
const THOUSAND = 1_000;

/** Progress goes to stderr. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

interface Running {
  readonly pid: number;
  readonly complaint: () => string;
  stop(): Promise<void>;
}

/** Everything that a run needs, made once. */
class Bench {
  readonly failures: string[] = [];
  readonly #sampler: Sampler;

  constructor(
    private readonly lab: Lab,
    private readonly network: BenchNetwork,
    private readonly cores: { readonly proxy: number | undefined; readonly load: number | undefined },
    seconds: number,
  ) {
    this.#sampler = new Sampler(lab, network, cores.load, seconds);
  }

  /** Rounds over all, so that a slow minute of the machine hits all alike. */
  async rounds(interceptors: readonly Interceptor[], measured: readonly Measured[], rounds: number): Promise<void> {
    const running = new Map<string, Running>();
    for (const one of interceptors) running.set(one.id, await this.#start(one));
    await delay(START_MS);
    for (let round = 0; round <= rounds; round++) {
      for (const { id, samples } of measured) {
        const interceptor = interceptors.find((one) => one.id === id);
        const pid = running.get(id)?.pid;
        if (round === 0 && pid !== undefined) add(samples, 'idle', residentMb(pid));
        // The first round warms up and is forgotten.
        const into = round === 0 ? new Map() : samples;
        await this.#guarded(id, () =>
          this.#intercepted(interceptor, async () => {
            for (const failure of await this.#sampler.round(into, pid)) this.#failed(`${id}, ${failure}`);
          }),
        );
      }
      say(`round ${round} of ${rounds}`);
    }
    await Promise.all([...running.values()].map((one) => one.stop()));
  }

  /** Fresh ones, for their memory with silent connections. */
  async crowds(interceptors: readonly Interceptor[], measured: readonly Measured[], crowd: number): Promise<void> {
    for (const one of interceptors) {
      const samples = measured.find(({ id }) => id === one.id)?.samples;
      const running = await this.#start(one);
      await delay(START_MS);
      await this.#guarded(one.id, () =>
        this.#intercepted(one, async () => {
          if (samples === undefined) return;
          add(samples, 'thousand', await this.#sampler.held(running.pid, THOUSAND));
          add(samples, 'crowd', await this.#sampler.held(running.pid, crowd));
        }),
      );
      await running.stop();
      say(`${one.id}: idle connections`);
    }
  }

  async #start(one: Interceptor): Promise<Running> {
    const folder = this.lab.makeFolder(one.id);
    const spec = { ...one.launch(folder), core: this.cores.proxy };
    execFileSync('chown', ['-R', `${SIDECAR}:${SIDECAR}`, folder]);
    const started = await this.lab.start(this.network.on('near', spec, SIDECAR));
    return { pid: started.pid, complaint: () => started.stderr.slice(-500), stop: () => started.stop() };
  }

  /** With the rules of interception in place; nothing stands in the way when there is no interceptor. */
  async #intercepted(one: Interceptor | undefined, work: () => Promise<void>): Promise<void> {
    if (one === undefined) {
      await work();
      return;
    }
    const intercept = `${process.execPath} ${join(REPOSITORY, 'packages/mesher/bin/mesher.js')} intercept`;
    this.network.must('near', `${intercept} apply --port ${one.port} >/dev/null`);
    try {
      await work();
    } finally {
      this.network.must('near', `${intercept} cleanup >/dev/null`);
    }
  }

  async #guarded(id: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failed(`${id}: ${(error as Error).message}`);
    }
  }

  #failed(reason: string): void {
    if (this.failures.includes(reason)) return;
    say(reason);
    this.failures.push(reason);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      crowd: { type: 'string', default: '10000' },
      only: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  const lab = new Lab();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void lab.close().finally(() => process.exit(1)));
  }
  process.once('exit', () => lab.closeNow());
  try {
    // Candidates run as another user.
    chmodSync(lab.folder, 0o755);
    const isPinned = lab.pins && availableParallelism() > LOAD_CORE;
    const cores = isPinned ? { proxy: PROXY_CORE, load: LOAD_CORE } : { proxy: undefined, load: undefined };
    if (isPinned) execFileSync('taskset', ['-acp', String(LOAD_CORE), String(process.pid)], { stdio: 'ignore' });
    const network = await BenchNetwork.create(lab);
    await startServers(lab, network, cores.load);
    const only = values.only?.split(',');
    const { found, missing } = findInterceptors(REPOSITORY);
    const interceptors = found.filter(({ id }) => only === undefined || only.includes(id));
    const measured: Measured[] = [{ id: DIRECT, label: 'direct' }, ...interceptors].map(({ id, label }) => ({
      id,
      label,
      samples: new Map(),
    }));
    const crowd = Math.min(Number(values.crowd), Math.floor((lab.descriptors - OTHER_DESCRIPTORS) / 2));
    const bench = new Bench(lab, network, cores, seconds);
    await bench.rounds(interceptors, measured, rounds);
    await bench.crowds(interceptors, measured, crowd);
    const page = renderPage(measured, { rounds, seconds, isPinned, crowd, missing, failures: bench.failures });
    process.stdout.write(page);
    if (values.write) {
      writeFileSync(join(REPOSITORY, 'docs/guides/transparent-performance.md'), page);
      writeFileSync(join(REPOSITORY, 'docs/images', PICTURE), drawPicture(measured));
    }
    process.exitCode = bench.failures.length > 0 ? 1 : 0;
  } finally {
    await lab.close();
  }
}

await main();
