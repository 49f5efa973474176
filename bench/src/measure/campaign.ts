import type { Candidate } from '../candidates/candidate.js';
import { startCandidate, type RunningCandidate, type Stage } from '../candidates/running.js';
import { DIRECT } from '../report/row-table.js';
import { sampleHeld } from './held.js';
import { sampleIdle, sampleStart, USUAL_CAPACITY } from './fresh.js';
import type { Results } from './results.js';
import type { Row } from './rows.js';
import { takeSample, type Instruments, type SteadyRow, type Subject } from './sampler.js';
import { verify } from './verify.js';

/** Descriptors that a process needs besides its connections. */
const SPARE_DESCRIPTORS = 200;
/** Enough for a compiler that optimises while running. */
const WARM_UP_SECONDS = 1;

/** How much to measure. */
export interface Extent {
  readonly rows: readonly Row[];
  readonly rounds: number;
  readonly starts: number;
  readonly idleConnections: number;
}

/** A campaign: all candidates alive at once, measured in turn, so that a slow minute of the machine hits all alike. */
export class Campaign {
  /** What the reader of the results must know. */
  readonly remarks: string[] = [];
  /** Candidates that could not be measured. */
  readonly failed: { readonly id: string; readonly reason: string }[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly instruments: Instruments,
    private readonly results: Results,
    private readonly say: (text: string) => void,
  ) {}

  /** Measures every row. Candidates that fail are named in `failed` and left out. */
  async run(candidates: readonly Candidate[], extent: Extent): Promise<void> {
    const steady = extent.rows.filter(isSteady);
    const sound = await this.runSteady(candidates, steady, extent.rounds);
    await this.runFresh(sound, extent);
  }

  private async runSteady(
    candidates: readonly Candidate[],
    rows: readonly SteadyRow[],
    rounds: number,
  ): Promise<Candidate[]> {
    const running: RunningCandidate[] = [];
    try {
      for (const candidate of candidates) {
        const started = await this.bring(candidate);
        if (started !== undefined) running.push(started);
      }
      if (rows.length > 0) {
        for (const subject of running) await this.warmUp(subject, rows);
        for (const part of [rows.filter(isGentle), rows.filter((row) => !isGentle(row))]) {
          for (let round = 1; round <= rounds; round += 1) {
            for (const row of part) {
              this.say(`round ${round} of ${rounds}: ${row.title}`);
              await this.sampleRow(row, running);
            }
          }
        }
      }
      return running.map(({ candidate }) => candidate);
    } finally {
      await Promise.all(running.map((subject) => subject.stop()));
    }
  }

  private async bring(candidate: Candidate): Promise<RunningCandidate | undefined> {
    try {
      const running = await startCandidate(this.stage, candidate, USUAL_CAPACITY);
      const verdict = await verify(running, this.stage.upstream);
      if (verdict.error === undefined) {
        this.say(`${candidate.id}: ready, bodies arrive unchanged`);
        this.remarks.push(...verdict.remarks);
        return running;
      }
      await running.stop();
      this.failed.push({ id: candidate.id, reason: `${verdict.error} ${running.complaint()}`.trim() });
    } catch (error) {
      this.failed.push({ id: candidate.id, reason: (error as Error).message });
    }
    this.say(`${candidate.id}: left out: ${this.failed.at(-1)?.reason ?? ''}`);
    return undefined;
  }

  private async warmUp(subject: RunningCandidate, rows: readonly SteadyRow[]): Promise<void> {
    const row = rows.find(
      ({ kind, layer }) => (kind === 'requests' || kind === 'calls') && layer === subject.candidate.layer,
    );
    if (row !== undefined) await takeSample({ ...this.instruments, seconds: WARM_UP_SECONDS }, subject, row);
  }

  private async sampleRow(row: SteadyRow, running: readonly RunningCandidate[]): Promise<void> {
    const subjects: (readonly [string, Subject])[] = running
      .filter(({ candidate }) => candidate.layer === row.layer)
      .map((subject) => [subject.candidate.id, subject] as const);
    if (row.kind === 'rate' && subjects.length > 0) {
      subjects.unshift([
        DIRECT.id,
        { pids: [], port: this.stage.upstream.httpPort, sinkPort: undefined, grpcPort: this.stage.upstream.grpcPort },
      ]);
    }
    for (const [id, subject] of subjects) {
      const sample = await takeSample(this.instruments, subject, row);
      this.stage.lab.assertOpen();
      this.results.add(row.id, id, sample);
      if (sample.fault !== undefined) this.say(`  ${id}: INVALID: ${sample.fault}`);
    }
  }

  private async runFresh(candidates: readonly Candidate[], extent: Extent): Promise<void> {
    for (const row of extent.rows) {
      const own = candidates.filter(({ layer }) => layer === row.layer);
      if (row.kind === 'start') {
        for (let round = 1; round <= extent.starts; round += 1) {
          this.stage.lab.assertOpen();
          this.say(`start ${round} of ${extent.starts}: ${row.title}`);
          for (const candidate of own) this.results.add(row.id, candidate.id, await sampleStart(this.stage, candidate));
        }
      } else if (row.kind === 'idle') {
        const connections = this.affordable(extent.idleConnections, row);
        for (const candidate of own) {
          this.stage.lab.assertOpen();
          this.say(`${row.title}: ${connections} through ${candidate.id}`);
          const sample = await sampleIdle(this.stage, candidate, connections, this.instruments.loadCore);
          this.results.add(row.id, candidate.id, sample);
          if (sample.fault !== undefined) this.say(`  ${candidate.id}: INVALID: ${sample.fault}`);
        }
      } else if (row.kind === 'held') {
        for (const candidate of own) {
          this.stage.lab.assertOpen();
          this.say(`${row.title}: through ${candidate.id}`);
          const sample = await sampleHeld(this.stage, candidate, row, this.instruments.loadCore);
          this.results.add(row.id, candidate.id, sample);
          if (sample.fault !== undefined) this.say(`  ${candidate.id}: INVALID: ${sample.fault}`);
        }
      }
    }
  }

  /** A relay needs two descriptors per connection: where the limit is too low for what was asked, fewer are held, and that is said. */
  private affordable(wanted: number, row: Row): number {
    const perConnection = row.layer === 'l4' ? 2 : 1;
    const most = Math.floor((this.stage.lab.descriptors - SPARE_DESCRIPTORS) / perConnection);
    if (wanted <= most) return wanted;
    this.remarks.push(
      `${row.title}: ${most.toLocaleString('en-US')} instead of ${wanted.toLocaleString('en-US')}, ` +
        `because a process may open ${this.stage.lab.descriptors.toLocaleString('en-US')} files here (ulimit -n)`,
    );
    return most;
  }
}

/**
 * Rows with connections that stay, which are measured in all rounds before the others: what a runtime takes for thousands
 * of new connections it does not give back, and it would show as the memory of these.
 */
function isGentle(row: SteadyRow): boolean {
  return row.kind === 'rate' || row.kind === 'calls' || (row.kind === 'requests' && !row.close);
}

function isSteady(row: Row): row is SteadyRow {
  return row.kind !== 'start' && row.kind !== 'idle' && row.kind !== 'held';
}
