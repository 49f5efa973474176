import { parseDuration } from '../../config/schema/duration.js';
import { parseGrpcStatus } from '../../grpc/status.js';
import type { Count, TextMatcher } from './cases.js';

/** Reads one value; `where` is for the message. */
export type Read<T> = (value: unknown, where: string) => T;

/** @throws Error naming the place and the problem */
export function fail(where: string, problem: string): never {
  throw new Error(`${where}: ${problem}`);
}

/**
 * A map with fixed names. Everything that is not declared is a mistake, so that a misspelt expectation never passes unseen.
 * @param fields each gets the value, undefined when it is left out
 */
export function readFields<F extends Readonly<Record<string, Read<unknown>>>>(
  value: unknown,
  where: string,
  fields: F,
): { readonly [K in keyof F]: ReturnType<F[K]> } {
  const map = readMap(value, where);
  for (const key of Object.keys(map)) {
    if (!Object.hasOwn(fields, key)) fail(where, `unknown key '${key}'; known are ${Object.keys(fields).join(', ')}`);
  }
  return Object.fromEntries(Object.entries(fields).map(([key, read]) => [key, read(map[key], `${where}.${key}`)])) as {
    readonly [K in keyof F]: ReturnType<F[K]>;
  };
}

export function readMap(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(where, 'must be a map');
  return value as Readonly<Record<string, unknown>>;
}

export function readList<T>(value: unknown, where: string, read: Read<T>): readonly T[] {
  if (!Array.isArray(value)) return fail(where, 'must be a list');
  return value.map((one, index) => read(one, `${where}[${index}]`));
}

export function readText(value: unknown, where: string): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? value : fail(where, 'must be a text');
}

export function readNumber(value: unknown, where: string): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : fail(where, 'must be a number');
}

export function readBoolean(value: unknown, where: string): boolean {
  return typeof value === 'boolean' ? value : fail(where, 'must be true or false');
}

/** A gRPC status by name or number: `unavailable`, `14`. */
export function readGrpcStatus(value: unknown, where: string): number {
  return parseGrpcStatus(readText(value, where)) ?? fail(where, 'must be a gRPC status such as unavailable or 14');
}

/** Milliseconds, from a text such as `200ms`. */
export function readDuration(value: unknown, where: string): number {
  const parsed = typeof value === 'string' ? parseDuration(value) : undefined;
  return typeof parsed === 'number' ? parsed : fail(where, "must be a duration such as '200ms'");
}

/** A text to be equal, `~` with a regular expression, or `null` for what must be absent. */
export function readMatcher(value: unknown, where: string): TextMatcher {
  if (value === null) return null;
  const text = readText(value, where);
  return text.startsWith('~') ? new RegExp(text.slice(1).trim(), 's') : text;
}

/** `3`, or `2..4`. */
export function readCount(value: unknown, where: string): Count {
  if (typeof value === 'number') return { min: value, max: value };
  const match = typeof value === 'string' ? /^(\d+)\.\.(\d+)$/.exec(value) : null;
  return match === null
    ? fail(where, 'must be a count such as 3 or 2..4')
    : { min: Number(match[1]), max: Number(match[2]) };
}

export function readMapOf<T>(value: unknown, where: string, read: Read<T>): ReadonlyMap<string, T> {
  return new Map(Object.entries(readMap(value, where)).map(([key, one]) => [key, read(one, `${where}.${key}`)]));
}

export function readRecordOf<T>(value: unknown, where: string, read: Read<T>): Readonly<Record<string, T>> {
  return Object.fromEntries(readMapOf(value, where, read));
}

export function required<T>(read: Read<T>): Read<T> {
  return (value, where) => (value === undefined ? fail(where, 'is missing') : read(value, where));
}

export function optional<T>(read: Read<T>): Read<T | undefined> {
  return (value, where) => (value === undefined ? undefined : read(value, where));
}

export function or<T>(fallback: T, read: Read<T>): Read<T> {
  return (value, where) => (value === undefined ? fallback : read(value, where));
}
