import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawBars, drawLines } from './charts.js';
import {
  COLD,
  CONTENDERS,
  FAILING,
  SLOW,
  UNEQUAL,
  WEIGHTED,
  withEjection,
  withSlowStart,
  type Contender,
} from './scenarios.js';
import { simulate, type Scenario } from './simulate.js';
import { p99BySecond, summarize, type Summary } from './summary.js';

/** The pictures in the guide are made with this one; any other shows the same, with other digits. */
const SEED = 7;

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const GUIDE = join(REPOSITORY, 'docs/guides/load-balancing.md');
const IMAGES = join(REPOSITORY, 'docs/images');
const BEGIN = '<!-- simulation: begin -->';
const END = '<!-- simulation: end -->';

interface Run {
  readonly scenario: Scenario;
  readonly contender: Contender;
  readonly summary: Summary;
}

function run(scenario: Scenario, contender: Contender): Run {
  return { scenario, contender, summary: summarize(simulate(scenario, contender.settings, SEED), scenario.watched) };
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;
const percent = (value: number): string => `${value.toFixed(value < 1 ? 2 : 1)} %`;

function write(name: string, svg: string): void {
  writeFileSync(join(IMAGES, `load-balancing-${name}.svg`), svg);
}

function pairs(plain: readonly Run[], other: readonly Run[], of: (summary: Summary) => number) {
  return plain.map(({ contender, summary }, index) => ({
    label: contender.name,
    values: [of(summary), of((other[index] as Run).summary)],
  }));
}

function drawAll(): readonly Run[] {
  const slow = CONTENDERS.map((one) => run(SLOW, one));
  write(
    SLOW.id,
    drawBars({
      ...SLOW,
      axis: 'duration of requests, ms',
      series: ['median', '99 % are faster than'],
      rows: slow.map(({ contender, summary }) => ({
        label: contender.name,
        values: [summary.medianMs, summary.p99Ms],
      })),
      show: ms,
    }),
  );
  const failing = CONTENDERS.map((one) => run(FAILING, one));
  const ejecting = CONTENDERS.map((one) => run(FAILING, withEjection(one)));
  write(
    FAILING.id,
    drawBars({
      ...FAILING,
      axis: 'failed requests, %',
      series: ['without ejection', 'with outlier.enabled: true'],
      rows: pairs(failing, ejecting, ({ failed }) => failed * 100),
      show: percent,
    }),
  );
  const unequal = CONTENDERS.map((one) => run(UNEQUAL, one));
  const weighted = CONTENDERS.map((one) => run(WEIGHTED, one));
  write(
    UNEQUAL.id,
    drawBars({
      ...UNEQUAL,
      text: 'Two of ten have 4 workers, eight have 2; 80 % of what all can do',
      axis: '99 % of requests are faster than, ms',
      series: ['all of weight 1', 'weights 4 and 2'],
      rows: pairs(unequal, weighted, ({ p99Ms }) => p99Ms),
      show: ms,
    }),
  );
  const cold = CONTENDERS.flatMap((one) => [run(COLD, one), run(COLD, withSlowStart(one))]);
  const shown = CONTENDERS.filter(({ name }) => name === 'RoundRobin' || name === 'LeastRequest');
  write(
    COLD.id,
    drawLines({
      ...COLD,
      text: 'Its requests take five times as long at first, and as long as those of the others 20 s later',
      xAxis: 'second at which the request began',
      yAxis: '99 % are faster than, ms (logarithmic)',
      series: shown
        .flatMap((one) => [one, withSlowStart(one)])
        .map(({ name, settings }) => ({
          name,
          points: p99BySecond(simulate(COLD, settings, SEED), COLD.warmUpMs, COLD.durationMs),
        })),
      mark: { x: 15, text: 'the cold one appears' },
    }),
  );
  return [...slow, ...failing, ...ejecting, ...unequal, ...weighted, ...cold];
}

function table(runs: readonly Run[]): string {
  const of = (scenario: Scenario, contender: Contender): Summary =>
    (runs.find((one) => one.scenario === scenario && one.contender.name === contender.name) as Run).summary;
  const rows = CONTENDERS.map((one) => {
    const slow = of(SLOW, one);
    const [failing, ejecting] = [of(FAILING, one), of(FAILING, withEjection(one))];
    const [cold, spared] = [of(COLD, one), of(COLD, withSlowStart(one))];
    const cells = [
      `${ms(slow.p99Ms)}, ${percent(slow.toWatched * 100)}`,
      `${percent(failing.failed * 100)} → ${percent(ejecting.failed * 100)}`,
      `${ms(cold.p99Ms)} → ${ms(spared.p99Ms)}`,
      `${ms(of(UNEQUAL, one).p99Ms)} → ${ms(of(WEIGHTED, one).p99Ms)}`,
    ];
    return `| ${one.name} | ${cells.join(' | ')} |`;
  });
  const counted = runs[0]?.summary.requests ?? 0;
  return [
    BEGIN,
    `Seed ${SEED}, ${counted.toLocaleString('en')} requests counted in the first column. Durations are those that 99 % of the requests stay below.`,
    '',
    '| strategy | slow: duration, share of the slow one | failing: failed → with ejection | cold → with slow start | unequal → with weights |',
    '|---|--:|--:|--:|--:|',
    ...rows,
    END,
  ].join('\n');
}

mkdirSync(IMAGES, { recursive: true });
const numbers = table(drawAll());
const guide = readFileSync(GUIDE, 'utf8');
const [before = '', rest = ''] = guide.split(BEGIN);
writeFileSync(GUIDE, `${before}${numbers}${rest.split(END)[1] ?? ''}`);
process.stdout.write(`${numbers}\n`);
