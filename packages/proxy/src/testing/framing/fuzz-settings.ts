import { randomInt } from 'node:crypto';

/** How a fuzz test runs, from the environment. */
export interface FuzzSettings {
  readonly seed: number;
  readonly runs: number;
  /** Milliseconds after which the remaining runs are left out; undefined when they were asked for by number. */
  readonly timeLimit: number | undefined;
  /** For the title of a suite, so that every failure names what repeats it. */
  readonly title: string;
}

/** The seed of usual runs: a test that everybody runs must not fail for one of them only. */
const USUAL_SEED = 20_240_229;
const USUAL_TIME_LIMIT_MS = 8_000;

/**
 * `MESHER_FUZZ_RUNS=1000000` runs longer, with a new seed each time; `MESHER_FUZZ_SEED=7` repeats a seed.
 * @param usualRuns when nothing is asked for
 */
export function fuzzSettings(usualRuns: number, env: NodeJS.ProcessEnv = process.env): FuzzSettings {
  const asked = env.MESHER_FUZZ_RUNS;
  const seedAsked = env.MESHER_FUZZ_SEED;
  const runs = asked === undefined ? usualRuns : Number(asked);
  let seed = USUAL_SEED;
  if (seedAsked !== undefined) seed = Number(seedAsked);
  else if (asked !== undefined) seed = randomInt(2 ** 31);
  if (!Number.isSafeInteger(runs) || runs < 1) throw new Error(`MESHER_FUZZ_RUNS is no number of runs: ${asked}`);
  if (!Number.isSafeInteger(seed)) throw new Error(`MESHER_FUZZ_SEED is no whole number: ${seedAsked}`);
  return {
    seed,
    runs,
    timeLimit: asked === undefined ? USUAL_TIME_LIMIT_MS : undefined,
    title: `seed ${seed}, ${runs} runs`,
  };
}

/** The settings as fast-check takes them. */
export function fastCheckParameters(settings: FuzzSettings): {
  seed: number;
  numRuns: number;
  interruptAfterTimeLimit?: number;
} {
  const { seed, runs, timeLimit } = settings;
  return {
    seed,
    numRuns: runs,
    ...(timeLimit === undefined ? {} : { interruptAfterTimeLimit: timeLimit }),
  };
}
