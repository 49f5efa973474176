import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Found } from './candidates/candidate.js';
import { findCandidates } from './candidates/find.js';
import type { Stage } from './candidates/running.js';
import { HELP, parseFlags, type Flags } from './cli/flags.js';
import { nodeGenerator, wrkGenerator } from './load/generator.js';
import { h2loadGenerator } from './load/h2load.js';
import { Campaign } from './measure/campaign.js';
import { Results } from './measure/results.js';
import { ROWS } from './measure/rows.js';
import type { Instruments } from './measure/sampler.js';
import { PortPicker } from './net/ports.js';
import { Lab } from './process/lab.js';
import { findProgram, ticksPerSecond } from './process/tools.js';
import { describeMachine } from './report/machine.js';
import { methodLines, versionLines } from './report/method.js';
import { hasFailed, renderReport, type ReportInput } from './report/report.js';
import { startUpstream } from './upstream/upstream.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const PROXY_CORE = 0;
const LOAD_CORE = 1;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** 128 + SIGINT, as shells report it. */
const EXIT_INTERRUPTED = 130;

/** Progress goes to stderr, so that stdout is the report alone. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The rows of HTTP/2 need programs that nothing here replaces: nginx as upstream and h2load. */
function withoutHttp2(found: Found, lacking: string | undefined): Found {
  if (lacking === undefined) return found;
  const left = found.candidates.filter(({ layer }) => layer === 'h2');
  const reason = `the rows of HTTP/2 need ${lacking}, which is not installed`;
  return {
    candidates: found.candidates.filter(({ layer }) => layer !== 'h2'),
    missing: [...found.missing, ...left.map(({ id }) => ({ id, reason }))],
  };
}

function missingLoad(name: string): string | undefined {
  return findProgram(name) === undefined ? name : undefined;
}

async function measure(lab: Lab, flags: Flags): Promise<ReportInput> {
  const found = findCandidates(REPOSITORY, flags);
  const nginx = flags.upstream === 'node' ? undefined : findProgram('nginx');
  const { candidates, missing } = withoutHttp2(found, nginx === undefined ? 'nginx' : missingLoad('h2load'));
  if (candidates.length === 0) throw new Error('nothing to measure: no candidate is installed (see bench/README.md)');
  for (const { id, reason } of missing) say(`${id}: not measured: ${reason}`);
  const pinned = lab.pins && availableParallelism() > LOAD_CORE;
  const cores = pinned ? { proxy: PROXY_CORE, load: LOAD_CORE } : { proxy: undefined, load: undefined };
  // The harness itself must not disturb the core of the candidates.
  if (pinned) execFileSync('taskset', ['-acp', String(LOAD_CORE), String(process.pid)], { stdio: 'ignore' });
  const ports = new PortPicker();
  if (nginx === undefined && flags.upstream === 'nginx') throw new Error('--upstream nginx: nginx is not installed');
  const upstream = await startUpstream(lab, ports, { core: cores.load, nginx });
  const wrk = flags.generator === 'node' ? undefined : wrkGenerator(lab, cores.load);
  if (wrk === undefined && flags.generator === 'wrk') throw new Error('--load wrk: wrk is not installed');
  const http2 = h2loadGenerator(lab, cores.load);
  const stage: Stage = { lab, ports, upstream, core: cores.proxy };
  const instruments: Instruments = {
    lab,
    generator: wrk ?? nodeGenerator(lab, cores.load),
    http2,
    upstream,
    loadCore: cores.load,
    ticksPerSecond: ticksPerSecond(),
    seconds: flags.seconds,
  };
  say(`load: ${instruments.generator.description}; ${upstream.description}`);
  const loads = [instruments.generator, ...(http2 === undefined ? [] : [http2])].map(({ description }) => description);
  const results = new Results();
  const campaign = new Campaign(stage, instruments, results, say);
  await campaign.run(candidates, flags);
  const { remarks, failed } = campaign;
  return {
    date: new Date(),
    machine: describeMachine(),
    versions: versionLines(candidates, loads.join(', ')),
    method: methodLines({ flags, pinned, upstream: upstream.description, load: instruments.generator.description }),
    rows: flags.rows,
    candidates: candidates.filter(({ id }) => !failed.some((failure) => failure.id === id)),
    results,
    missing,
    failed,
    remarks: [...new Set(remarks)],
  };
}

function list(flags: Flags): void {
  const { candidates, missing } = findCandidates(REPOSITORY, flags);
  for (const { id, layer, label } of candidates) process.stdout.write(`${layer}  ${id}: ${label}\n`);
  for (const { id, reason } of missing) process.stdout.write(`--  ${id}: ${reason}\n`);
  for (const { id, title } of ROWS) process.stdout.write(`row ${id}: ${title}\n`);
}

async function main(): Promise<number> {
  let flags: Flags;
  try {
    flags = parseFlags(process.argv.slice(2));
  } catch (error) {
    say((error as Error).message);
    return EXIT_USAGE;
  }
  if (flags.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (flags.list) {
    list(flags);
    return 0;
  }
  const lab = new Lab();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      say(`${signal}: ending what was started`);
      // Set before anything else fails because its processes end: the first exit code given wins.
      process.exitCode = EXIT_INTERRUPTED;
      void lab.close().finally(() => process.exit(EXIT_INTERRUPTED));
    });
  }
  process.once('exit', () => lab.closeNow());
  try {
    const input = await measure(lab, flags);
    const report = renderReport(input);
    process.stdout.write(report);
    if (flags.write) writeFileSync(new URL('../../docs/performance.md', import.meta.url), report);
    if (flags.json !== undefined)
      writeFileSync(flags.json, `${JSON.stringify(input.results.entries(), undefined, 1)}\n`);
    return hasFailed(input) ? EXIT_FAILED : 0;
  } finally {
    await lab.close();
  }
}

main().then(
  (code) => process.exit(process.exitCode ?? code),
  (error: unknown) => {
    if (process.exitCode === undefined) say(`the bench failed: ${(error as Error).message}`);
    process.exit(process.exitCode ?? EXIT_FAILED);
  },
);
