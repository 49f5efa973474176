/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** All ports (`*`), or some; none when empty. */
export type PortSet = '*' | readonly PortRange[];

const HIGHEST_PORT = 65_535;
const RANGE = /^(\d{1,5})(?:[-:](\d{1,5}))?$/;

/** Thrown by the readers of values; the message continues `--flag: `. */
export class ValueError extends Error {}

/** A single port from 1 to 65535. @throws ValueError */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > HIGHEST_PORT) throw new ValueError(`'${text}' is no port; write a number from 1 to 65535`);
  return port;
}

/**
 * Ports and ranges separated by commas: `80,8000-8010`; `8000:8010` as iptables writes it, too. Touching ranges are made one, so that
 * they take fewer rules. @throws ValueError
 */
export function parsePorts(text: string): readonly PortRange[] {
  return mergePorts(itemsOf(text).map(parseRange));
}

/** As {@link parsePorts}, and `*` for all. @throws ValueError */
export function parsePortSet(text: string): PortSet {
  const items = itemsOf(text);
  if (!items.includes('*')) return parsePorts(text);
  if (items.length > 1) throw new ValueError(`'${text}' mixes * with ports; write * alone, and exclude ports by name`);
  return '*';
}

function parseRange(text: string): PortRange {
  const [, from, to = from] = RANGE.exec(text) ?? [];
  if (from === undefined || to === undefined) {
    throw new ValueError(`'${text}' is no port; write numbers or ranges, such as 80,8000-8010`);
  }
  const range = { first: parsePort(from), last: parsePort(to) };
  if (range.first > range.last) throw new ValueError(`'${text}' runs backwards; write ${to}-${from}`);
  return range;
}

/** The same ports in ascending, disjoint ranges. */
export function mergePorts(ranges: readonly PortRange[]): readonly PortRange[] {
  const merged: PortRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before === undefined || range.first > before.last + 1) merged.push(range);
    else merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
  }
  return merged;
}

/** Whether a port is one of them. */
export function hasPort(ports: PortSet, port: number): boolean {
  return ports === '*' || ports.some(({ first, last }) => first <= port && port <= last);
}

/** `80` or `8000-8010`. */
export function formatRange({ first, last }: PortRange, between = '-'): string {
  return first === last ? `${first}` : `${first}${between}${last}`;
}

/** The items of a list separated by commas, without blanks; none for an empty text. */
export function itemsOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
