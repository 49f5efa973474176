import { RegistryError } from './registry-error.js';

/** JSON as it came, before anything is known of it. */
export type Json = Readonly<Record<string, unknown>>;

/** What the server asks of a text. */
export interface TextRule {
  readonly pattern?: RegExp;
  readonly min?: number;
  readonly max?: number;
}

/** Rules of service-center for names and ids. */
export const RULES = {
  name: { min: 1, max: 128, pattern: /^(?:[a-zA-Z0-9]*|[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9])$/ },
  nameOrAlias: { min: 1, max: 289, pattern: /^(?:[a-zA-Z0-9]*|[a-zA-Z0-9][a-zA-Z0-9_\-.:]*[a-zA-Z0-9])$/ },
  app: { min: 1, max: 160, pattern: /^(?:[a-zA-Z0-9]*|[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9])$/ },
  version: { min: 1, max: 64, pattern: /^\d{1,5}(?:\.\d{1,5}){0,3}$/ },
  environment: { pattern: /^(?:development|testing|acceptance|production)?$/ },
  serviceId: { max: 64, pattern: /^\S*$/ },
  instanceId: { max: 64, pattern: /^[A-Za-z0-9_.-]*$/ },
  alias: { max: 128, pattern: /^[a-zA-Z0-9_\-.:]*$/ },
  description: { max: 256 },
  level: { pattern: /^(?:FRONT|MIDDLE|BACK)$/ },
  serviceStatus: { pattern: /^(?:UP|DOWN)?$/ },
  registerBy: { max: 64, pattern: /^(?:SDK|SIDECAR|PLATFORM)*$/ },
  schemaId: { min: 1, max: 160, pattern: /^[a-zA-Z0-9](?:[a-zA-Z0-9_\-.]*[a-zA-Z0-9])?$/ },
  framework: { max: 64, pattern: /^(?:[a-zA-Z0-9]*|[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9])$/ },
  hostName: { min: 1, max: 64, pattern: /\S/ },
  endpoint: { pattern: /\S/ },
  place: { min: 1, max: 128, pattern: /^[A-Za-z0-9_.-]+$/ },
  tag: { min: 1, max: 64, pattern: /^[a-zA-Z][a-zA-Z0-9_\-.]{0,63}$/ },
} as const satisfies Readonly<Record<string, TextRule>>;

/** @throws RegistryError 400001 */
export function invalid(detail: string): never {
  throw new RegistryError(400001, detail);
}

/** @throws RegistryError 400001 unless `value` keeps to `rule` */
export function checkText(field: string, value: string, rule: TextRule): string {
  const { min = 0, max = Infinity, pattern } = rule;
  if (value.length < min) invalid(`field '${field}' is shorter than ${min}`);
  if (value.length > max) invalid(`field '${field}' is longer than ${max}`);
  if (pattern?.test(value) === false) invalid(`field '${field}' does not match ${pattern.source}`);
  return value;
}

/** The object at `field`, or undefined when it is absent or null. */
export function objectAt(json: Json, field: string): Json | undefined {
  const value = json[field];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) invalid(`field '${field}' is no object`);
  return value;
}

export function textAt(json: Json, field: string, rule: TextRule = {}): string | undefined {
  const value = json[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') invalid(`field '${field}' is no text`);
  return checkText(field, value, rule);
}

export function numberAt(json: Json, field: string): number | undefined {
  const value = json[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) invalid(`field '${field}' is no whole number`);
  return value;
}

export function listAt(json: Json, field: string): readonly unknown[] | undefined {
  const value = json[field];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) invalid(`field '${field}' is no list`);
  return value;
}

export function textListAt(json: Json, field: string, rule: TextRule = {}): readonly string[] | undefined {
  return listAt(json, field)?.map((value) => {
    if (typeof value !== 'string') invalid(`field '${field}' has something that is no text`);
    return checkText(field, value, rule);
  });
}

/** A map of texts. @throws RegistryError 400001 when a value is something else */
export function textsAt(json: Json, field: string): Readonly<Record<string, string>> | undefined {
  const value = objectAt(json, field);
  if (value === undefined) return undefined;
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') invalid(`field '${field}.${name}' is no text`);
  }
  return value as Readonly<Record<string, string>>;
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
