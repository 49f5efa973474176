import type { TracingEntries } from './tracing-entries.js';

/** Formats by the names that tracers have for them. */
const FORMATS: Readonly<Record<string, string>> = {
  tracecontext: 'w3c',
  w3c: 'w3c',
  b3: 'b3',
  b3multi: 'b3multi',
  jaeger: 'jaeger',
};

/** @param others names that mean something else to this tracer */
export function readFormats(
  out: TracingEntries,
  variable: string,
  others: Readonly<Record<string, string>> = {},
): void {
  const known = new Map(Object.entries({ ...FORMATS, ...others }));
  const names = (out.env[variable] ?? '').split(',').map((name) => name.trim().toLowerCase());
  const formats = names.flatMap((name) => known.get(name) ?? []);
  if (formats.length === 0) return;
  out.set('formats.read', formats.join(), variable);
  out.set('formats.write', formats.join(), variable);
}

export function isTrue(text: string | undefined): boolean {
  return text?.toLowerCase() === 'true';
}

/** `a=1,b=2`; what is no pair is left out. */
export function pairsOf(text: string | undefined, separator = '='): (readonly [key: string, value: string])[] {
  return (text ?? '').split(',').flatMap((pair) => {
    const at = pair.indexOf(separator);
    const key = pair.slice(0, Math.max(at, 0)).trim();
    const value = pair.slice(at + 1).trim();
    return key === '' || value === '' ? [] : [[key, value] as const];
  });
}
