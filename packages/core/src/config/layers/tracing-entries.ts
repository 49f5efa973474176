import { parseDuration } from '../schema/duration.js';
import type { Notice, Origin } from '../problem.js';
import type { ConfigEntry } from '../tree/config-node.js';
import type { Environment } from '../yaml/placeholders.js';

/** Gathers values of the section `tracing` that stand in environment variables, and what is to be said about them. */
export class TracingEntries {
  readonly #entries = new Map<string, ConfigEntry>();
  readonly notices: Notice[] = [];

  constructor(readonly env: Environment) {}

  get entries(): ConfigEntry[] {
    return [...this.#entries.values()];
  }

  /** @param key below `tracing` */
  has(key: string): boolean {
    return this.#entries.has(`tracing.${key}`);
  }

  /** @param key dotted, or in parts where one of them may have dots; below `tracing` */
  set(key: string | readonly string[], text: string, variable: string): void {
    const path = ['tracing', ...(typeof key === 'string' ? key.split('.') : key)];
    const origin: Origin = { layer: 'environment', name: variable };
    const leaf = { kind: 'scalar', text, origin } as const;
    this.#entries.set(path.join('.'), { path, keyOrigins: path.map(() => origin), leaf });
  }

  /** Takes the value as it is, if there is one. */
  copy(variable: string, key: string): void {
    const text = this.env[variable] ?? '';
    if (text !== '') this.set(key, text, variable);
  }

  /** Takes a number, brought within bounds: those of another program must not keep this one from starting. */
  number(variable: string, key: string, min: number, max: number, unit = ''): void {
    const text = this.env[variable] ?? '';
    if (text === '') return;
    const value = Number(text);
    if (Number.isInteger(value)) this.set(key, `${Math.min(Math.max(value, min), max)}${unit}`, variable);
    else this.tell(variable, `expects a whole number, found '${text}'; it is not used`);
  }

  /** Takes a number with a fraction, of 0 and above. */
  decimal(variable: string, key: string): void {
    const text = this.env[variable] ?? '';
    if (text === '') return;
    if (/^\d*\.?\d+$/.test(text.trim())) this.set(key, text.trim(), variable);
    else this.tell(variable, `expects a number, found '${text}'; it is not used`);
  }

  /** Takes a duration as Go writes it, or a number of milliseconds, as clients in other languages do; brought within bounds. */
  duration(variable: string, key: string, minMs: number, maxMs: number): void {
    const text = this.env[variable] ?? '';
    if (text === '') return;
    const ms = parseDuration(text, 'ms');
    if (ms === undefined) this.tell(variable, `expects a duration such as 1s, found '${text}'; it is not used`);
    else this.set(key, `${Math.round(Math.min(Math.max(ms, minMs), maxMs))}ms`, variable);
  }

  /** Something that the user should know. */
  tell(variable: string, message: string): void {
    const origin: Origin = { layer: 'environment', name: variable };
    this.notices.push({ kind: 'obsolete', origin, path: variable, message });
  }
}
