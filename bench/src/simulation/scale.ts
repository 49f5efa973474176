/** Maps values to places along an axis. */
export interface Scale {
  readonly ticks: readonly number[];
  /** @returns 0..1 */
  at(value: number): number;
}

const STEPS = [1, 2, 5];

/** From 0 to a round number above `most`. */
export function linearScale(most: number): Scale {
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([...STEPS, 10].find((one) => one * power >= rough) ?? 10) * power;
  const count = Math.ceil(most / step);
  return {
    ticks: Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12))),
    at: (value) => value / (count * step),
  };
}

/** Decades and their parts, from a round number below `least` to one above `most`. */
export function logScale(least: number, most: number): Scale {
  const ticks: number[] = [];
  for (
    let power = Math.floor(Math.log10(least));
    ticks.at(-1) === undefined || (ticks.at(-1) as number) < most;
    power++
  ) {
    for (const step of STEPS) {
      const tick = Number((step * 10 ** power).toPrecision(12));
      if (tick * 2.5 < least || (ticks.at(-1) ?? 0) >= most) continue;
      ticks.push(tick);
    }
  }
  const low = Math.log(ticks[0] as number);
  const high = Math.log(ticks.at(-1) as number);
  return { ticks, at: (value) => (Math.log(Math.max(value, ticks[0] as number)) - low) / (high - low) };
}
