import { linearScale, logScale, type Scale } from './scale.js';
import { COLOURS, element, legend, line, picture, text } from './svg.js';

const WIDTH = 760;
const LEFT = 160;
const RIGHT = 150;
const TOP = 84;
const BAR = 13;
const GAP = 14;
const BELOW = 48;

export interface BarChart {
  readonly title: string;
  readonly text: string;
  /** What the axis shows, with its unit. */
  readonly axis: string;
  readonly series: readonly string[];
  readonly rows: readonly { readonly label: string; readonly values: readonly number[] }[];
  /** The value beside its bar. */
  readonly show: (value: number) => string;
}

/** Groups of horizontal bars. */
export function drawBars({ title, text: words, axis, series, rows, show }: BarChart): string {
  const values = rows.flatMap((row) => row.values);
  const along = linearScale(Math.max(...values));
  const group = series.length * BAR + GAP;
  const bottom = TOP + rows.length * group;
  const x = (value: number): number => LEFT + along.at(value) * (WIDTH - LEFT - RIGHT);
  const parts = [
    text(20, 48, words, { class: 'faint' }),
    ...legend(LEFT, 70, series),
    ...gridUpright(along, x, TOP, bottom, axis),
    ...rows.flatMap((row, index) => {
      const y = TOP + index * group + GAP / 2;
      return [
        text(LEFT - 10, y + (series.length * BAR) / 2 + 4, row.label, { 'text-anchor': 'end' }),
        ...row.values.flatMap((value, part) => [
          element('rect', {
            x: LEFT,
            y: y + part * BAR,
            width: Math.max(x(value) - LEFT, 1),
            height: BAR - 2,
            fill: COLOURS[part % COLOURS.length] as string,
          }),
          text(x(value) + 6, y + part * BAR + BAR - 3, show(value), { class: 'faint' }),
        ]),
      ];
    }),
    line(LEFT, TOP, LEFT, bottom, { class: 'axis' }),
  ];
  const description = rows.map((row) => `${row.label}: ${row.values.map(show).join(', ')}`).join('; ');
  return picture(WIDTH, bottom + BELOW, title, `${words}. ${axis} (${series.join(', ')}): ${description}`, parts);
}

export interface LineChart {
  readonly title: string;
  readonly text: string;
  readonly xAxis: string;
  readonly yAxis: string;
  readonly series: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
  /** A moment to mark. */
  readonly mark: { readonly x: number; readonly text: string };
}

const HEIGHT = 420;
const LINE_LEFT = 64;
const LINE_RIGHT = 24;

/** Lines over time, the values on a logarithmic axis. */
export function drawLines({ title, text: words, xAxis, yAxis, series, mark }: LineChart): string {
  const points = series.flatMap((one) => one.points);
  const xs = points.map(([value]) => value);
  const ys = points.map(([, value]) => value);
  const [from, to] = [Math.min(...xs), Math.max(...xs)];
  const up = logScale(Math.min(...ys), Math.max(...ys));
  const bottom = HEIGHT - BELOW;
  const top = TOP + 12;
  const x = (value: number): number => LINE_LEFT + ((value - from) / (to - from)) * (WIDTH - LINE_LEFT - LINE_RIGHT);
  const y = (value: number): number => bottom - up.at(value) * (bottom - top);
  const seconds = linearScale(to).ticks.filter((tick) => tick >= from && tick <= to);
  const parts = [
    text(20, 48, words, { class: 'faint' }),
    ...legend(
      20,
      72,
      series.map(({ name }) => name),
    ),
    ...up.ticks.flatMap((tick) => [
      line(LINE_LEFT, y(tick), WIDTH - LINE_RIGHT, y(tick), { class: 'grid' }),
      text(LINE_LEFT - 8, y(tick) + 4, String(tick), { class: 'faint', 'text-anchor': 'end' }),
    ]),
    ...seconds.map((tick) => text(x(tick), bottom + 18, String(tick), { class: 'faint', 'text-anchor': 'middle' })),
    text((LINE_LEFT + WIDTH) / 2, bottom + 38, xAxis, { 'text-anchor': 'middle' }),
    text(16, (top + bottom) / 2, yAxis, {
      'text-anchor': 'middle',
      transform: `rotate(-90 16 ${(top + bottom) / 2})`,
    }),
    line(LINE_LEFT, top, LINE_LEFT, bottom, { class: 'axis' }),
    line(LINE_LEFT, bottom, WIDTH - LINE_RIGHT, bottom, { class: 'axis' }),
    line(x(mark.x), top, x(mark.x), bottom, { class: 'axis', 'stroke-dasharray': '4 4' }),
    text(x(mark.x) + 6, bottom - 8, mark.text, { class: 'faint' }),
    ...series.map((one, index) =>
      element('polyline', {
        points: one.points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' '),
        fill: 'none',
        stroke: COLOURS[index % COLOURS.length] as string,
        'stroke-width': 2,
      }),
    ),
  ];
  const worst = series.map(
    (one) => `${one.name} at most ${Math.max(...one.points.map(([, value]) => value)).toFixed(0)}`,
  );
  return picture(WIDTH, HEIGHT, title, `${words}. ${yAxis}: ${worst.join('; ')}`, parts);
}

function gridUpright(along: Scale, x: (value: number) => number, top: number, bottom: number, axis: string): string[] {
  return [
    ...along.ticks.flatMap((tick) => [
      line(x(tick), top, x(tick), bottom, { class: 'grid' }),
      text(x(tick), bottom + 16, String(tick), { class: 'faint', 'text-anchor': 'middle' }),
    ]),
    text((LEFT + WIDTH - RIGHT) / 2, bottom + 36, axis, { 'text-anchor': 'middle' }),
  ];
}
