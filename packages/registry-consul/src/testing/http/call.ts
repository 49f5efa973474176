import type { Rights } from '../acl.js';
import type { AgentStore } from '../store/agent-store.js';
import { AgentError, bad } from './agent-error.js';
import type { Answer, Asked } from './listener.js';

/** A request as the handlers of the API see it. */
export interface Call extends Asked {
  readonly store: AgentStore;
  /** What the token of the request may do. */
  readonly rights: Rights;
  /** The parts of the path that the route names. */
  readonly params: Readonly<Record<string, string>>;
  /**
   * Answers at once, or, with `?index=N`, once the index of what is read is beyond N or the wait is over.
   * @param read what is there now, and the index of it
   */
  blocking(read: () => Indexed): Promise<Answer>;
}

/** An answer with the index that it belongs to. */
export interface Indexed extends Answer {
  readonly index: number;
  /** Something was left out that the token may not see. */
  readonly filtered?: boolean;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

/** `GET /v1/agent/self`, and who answers it; `:name` stands for one part, `*name` for all that follow. */
export type Routes = Readonly<Record<string, Handler>>;

export type Json = Readonly<Record<string, unknown>>;

/** The body. @throws AgentError 400 when it is no JSON object */
export function jsonOf(call: Call): Json {
  try {
    const json: unknown = JSON.parse(call.text);
    if (isJson(json)) return json;
  } catch (error) {
    bad(`Request decode failed: ${String(error)}`);
  }
  return bad('Request decode failed: json: cannot unmarshal into Go value');
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A part of the path. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? '';
}

/** True when the query has the name, whatever its value: `?recurse`, `?passing`. */
export function flagOf(call: Call, name: string): boolean {
  return call.query.has(name);
}

/** Texts that Go reads as a boolean. @throws AgentError 400 */
export function goBoolean(text: string, refusal: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new AgentError(400, refusal);
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a duration as Go writes it, such as `1m30s`; undefined for what is none. */
export function goDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g);
  return [...parts].reduce((sum, [, number = '0', unit = '']) => sum + Number(number) * (UNITS[unit] ?? 0), 0);
}
