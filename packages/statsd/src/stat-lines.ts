import type { StatName } from './stat-names.js';

/** Most values that one line stands for: rates below a millionth would be written with an exponent, which servers do not read. */
const MOST_PER_LINE = 1_000_000;
/** Digits behind the point of a time in milliseconds: microseconds. */
const TIME_DIGITS = 3;

/** `inbound.200:5|c` */
export function counterLine({ name, tags }: StatName, delta: number): string {
  return `${name}:${delta}|c${tags}`;
}

/** `requests_in_flight.outbound.orders:3|g`. A number with a sign would be added to what the server has, so zero goes before it. */
export function gaugeLines({ name, tags }: StatName, value: number): string[] {
  const line = `${name}:${value}|g${tags}`;
  return value < 0 ? [`${name}:0|g${tags}`, line] : [line];
}

/** `request_duration.outbound.orders.2xx:12.5|ms|@0.25`: four calls of that duration, as if only one of four had been sent. */
export function timerLines({ name, tags }: StatName, milliseconds: number, count: number): string[] {
  const value = Number(milliseconds.toFixed(TIME_DIGITS));
  const lines: string[] = [];
  for (let left = count; left > 0; left -= MOST_PER_LINE) {
    const rate = rateOf(Math.min(left, MOST_PER_LINE));
    lines.push(`${name}:${value}|ms${rate === 1 ? '' : `|@${rate}`}${tags}`);
  }
  return lines;
}

/** The sampling rate of which servers make `count` again, those that cut off the fraction (statsd_exporter) as well. */
function rateOf(count: number): number {
  const rate = 1 / count;
  return 1 / rate >= count ? rate : rate * (1 - Number.EPSILON);
}
