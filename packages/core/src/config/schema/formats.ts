import { parseHostPort, type HostPort } from './address.js';
import { formatBytes, parseBytes } from './bytes.js';
import { formatDuration, parseDuration } from './duration.js';
import type { JsonSchema } from './schema.js';
import { expectOneOf, Refusal, type ScalarFormat } from './scalar.js';

/**
 * Values may be quoted, hold placeholders (`${NAME||default}`), or be empty (not set), so a JSON Schema must let such texts pass.
 * @param text what a text looks like, as the source of a regular expression for all of it
 */
function orText(type: string, text: string): JsonSchema {
  return { type: [type, 'string', 'null'], pattern: `^\\s*(${text})?\\s*$|\\$\\{` };
}

const INTEGER_SCHEMA = orText('integer', String.raw`[+-]?\d{1,15}`);
const DECIMAL_SCHEMA = orText('number', String.raw`[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?`);
const DURATION_SCHEMA = orText('number', String.raw`\d+(\.\d+)?|((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d))+`);
const BYTES_SCHEMA = orText('integer', String.raw`\d+(\.0+)?\s*[bB]?|\d+(\.\d+)?\s*[kKmMgG]([iI]?[bB])?`);

/** Any text, or one that matches `pattern`; `expectation` says the pattern in words. */
export function stringFormat(pattern?: RegExp, expectation?: string): ScalarFormat<string> {
  return {
    typeName: 'string',
    parse: (text) =>
      pattern === undefined || pattern.test(text)
        ? text
        : new Refusal(expectation ?? `a text that matches ${String(pattern)}`),
    // A number without quotes is a fine text in YAML.
    jsonSchema: { type: ['string', 'number', 'boolean', 'null'] },
  };
}

export interface NumberRange {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

function inRange(value: number, { min, max }: NumberRange): boolean {
  return value >= (min ?? Number.NEGATIVE_INFINITY) && value <= (max ?? Number.POSITIVE_INFINITY);
}

/** Bounds as JSON Schema names them. */
function rangeSchema({ min, max }: NumberRange): object {
  return { ...(min === undefined ? {} : { minimum: min }), ...(max === undefined ? {} : { maximum: max }) };
}

const INTEGER = /^[+-]?\d{1,15}$/;

export function integerFormat(range: NumberRange): ScalarFormat<number> {
  return {
    typeName: `integer${describeRange(range.min, range.max)}`,
    parse(text) {
      const value = INTEGER.test(text.trim()) ? Number(text) : Number.NaN;
      return inRange(value, range) ? value : new Refusal(`a whole number${describeRange(range.min, range.max)}`);
    },
    jsonSchema: { ...INTEGER_SCHEMA, ...rangeSchema(range) },
  };
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

export function numberFormat(range: NumberRange): ScalarFormat<number> {
  return {
    typeName: `number${describeRange(range.min, range.max)}`,
    parse(text) {
      const value = DECIMAL.test(text.trim()) ? Number(text) : Number.NaN;
      return Number.isFinite(value) && inRange(value, range)
        ? value
        : new Refusal(`a number${describeRange(range.min, range.max)}`);
    },
    jsonSchema: { ...DECIMAL_SCHEMA, ...rangeSchema(range) },
  };
}

/** The YAML 1.1 words that go-yaml reads as booleans, and what Go's `strconv.ParseBool` takes from the environment. */
const BOOLEANS = new Map<string, boolean>([
  ...['true', 'yes', 'on', 'y', 't', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', 'n', 'f', '0'].map((word) => [word, false] as const),
]);

/** The same words; JSON Schema has no flag for upper and lower case. */
const BOOLEAN_SCHEMA = orText(
  'boolean',
  [...BOOLEANS.keys()]
    .map((word) => word.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`))
    .join('|'),
);

export function booleanFormat(): ScalarFormat<boolean> {
  return {
    typeName: 'boolean',
    parse: (text) => BOOLEANS.get(text.trim().toLowerCase()) ?? new Refusal('true or false'),
    jsonSchema: BOOLEAN_SCHEMA,
  };
}

export interface DurationRange {
  /** As a user writes it: `1s`. */
  readonly min?: string | undefined;
  readonly max?: string | undefined;
  /** What a number without a unit means; without it such a number is refused. */
  readonly bareUnit?: 's' | 'ms' | undefined;
}

/** @throws TypeError when min or max is no duration: a mistake in the program */
export function durationFormat({ min, max, bareUnit }: DurationRange): ScalarFormat<number> {
  const range = { min: limit(min, parseDuration), max: limit(max, parseDuration) };
  const bounds = describeRange(min, max);
  return {
    typeName: `duration${bounds}`,
    parse(text) {
      const value = parseDuration(text, bareUnit);
      if (value === undefined) {
        return new Refusal(`a duration with a unit, such as 30s, 500ms or 1m30s`);
      }
      return inRange(value, range)
        ? value
        : new Refusal(`a duration${bounds}${/^\d+$/.test(text) ? ` (this is ${formatDuration(value)})` : ''}`);
    },
    jsonSchema: DURATION_SCHEMA,
  };
}

export interface BytesRange {
  /** As a user writes it: `4KB`. */
  readonly min?: string | undefined;
  readonly max?: string | undefined;
}

/** @throws TypeError when min or max is no size: a mistake in the program */
export function bytesFormat({ min, max }: BytesRange): ScalarFormat<number> {
  const range = { min: limit(min, parseBytes), max: limit(max, parseBytes) };
  const bounds = describeRange(min, max);
  return {
    typeName: `size${bounds}`,
    parse(text) {
      const value = parseBytes(text);
      if (value === undefined) {
        return new Refusal('a size in bytes, such as 512, 64KB or 1MB');
      }
      return inRange(value, range) ? value : new Refusal(`a size${bounds} (this is ${formatBytes(value)})`);
    },
    jsonSchema: BYTES_SCHEMA,
  };
}

function describeRange(min: string | number | undefined, max: string | number | undefined): string {
  if (min !== undefined && max !== undefined) {
    return ` from ${min} to ${max}`;
  }
  return min === undefined ? (max === undefined ? '' : ` of at most ${max}`) : ` of at least ${min}`;
}

function limit(text: string | undefined, parse: (text: string) => number | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const value = parse(text);
  if (value === undefined) {
    throw new TypeError(`'${text}' is not a valid limit`);
  }
  return value;
}

export function oneOfFormat<V extends string>(values: readonly V[], ignoreCase: boolean): ScalarFormat<V> {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  return {
    typeName: values.join(' | '),
    parse: (text) => values.find((value) => fold(value) === fold(text.trim())) ?? expectOneOf(values, text),
    jsonSchema: ignoreCase
      ? { type: ['string', 'null'], examples: values }
      : { anyOf: [{ enum: [...values, null] }, { type: 'string', pattern: '\\$\\{' }] },
  };
}

export function addressFormat(): ScalarFormat<HostPort> {
  return {
    typeName: 'host:port',
    parse(text) {
      const address = parseHostPort(text);
      return typeof address === 'string' ? new Refusal(address) : address;
    },
    jsonSchema: { type: ['string', 'null'], examples: ['127.0.0.1:30101', '[::1]:30101'] },
  };
}
