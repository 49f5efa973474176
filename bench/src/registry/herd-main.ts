import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Herd, histogram, perSecond, spreadOf } from '@mesher/registry-servicecenter/testing/herd';
import { drawBars } from '../simulation/charts.js';
import { IMAGES, writePart } from './guide.js';

/**
 * When 200 clients of a service-center come back that was away for a moment: `npm run docs:simulate`. The clients are real ones with real
 * sockets; only their time is made.
 */

const CLIENTS = 200;
const SEED = 7;
const SECONDS = 16;
/** As long as a connection must hold to count as a good one, and some. */
const BEFORE_MS = 61_000;
const AFTER_MS = 20_000;
const PART = 'herd';

async function reconnects(reconnectSpread: number): Promise<readonly number[]> {
  const herd = await Herd.gather({ clients: CLIENTS, seed: SEED, options: { reconnectSpread } });
  await herd.pass(BEFORE_MS);
  await herd.goDown();
  await herd.comeBack();
  const begin = herd.time.now();
  await herd.pass(AFTER_MS);
  const times = herd.arrivals
    .filter(({ at, purpose }) => purpose === 'watch' && at >= begin)
    .map(({ at }) => at - begin);
  await herd.close();
  return times;
}

const together = await reconnects(500);
const spread = await reconnects(15_000);
const counts = [together, spread].map((times) => perSecond(times, 0, SECONDS));
const chart = drawBars({
  title: 'A service-center that is back at once',
  text: `${CLIENTS} clients lose their watch in one moment, and connect again`,
  axis: 'connections in each second',
  series: ['reconnectSpread: 500ms', 'reconnectSpread: 15s (the default)'],
  rows: Array.from({ length: SECONDS }, (_, second) => ({
    label: `${second} s`,
    values: counts.map((one) => one[second] ?? 0),
  })),
  show: (value) => String(value),
});
mkdirSync(IMAGES, { recursive: true });
writeFileSync(join(IMAGES, 'registry-herd.svg'), chart);
const [before, now] = [spreadOf(together), spreadOf(spread)];
writePart(
  PART,
  `Most connections in one second: ${before.mostPerSecond} of ${CLIENTS} with \`reconnectSpread: 500ms\`, ${now.mostPerSecond} with the default; ` +
    `the last one comes ${(before.durationMs / 1_000).toFixed(1)} s and ${(now.durationMs / 1_000).toFixed(1)} s after the first.`,
);
process.stdout.write(`${histogram(counts[1] ?? [])}\n`);
process.exit(0);
