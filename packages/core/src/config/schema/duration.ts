/** Milliseconds per unit, the units of Go's `time.ParseDuration` and `d` for days. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d)/y;
const BARE_NUMBER = /^\d+(?:\.\d+)?$/;

/**
 * Reads a duration as Go writes it: `30s`, `500ms`, `1m30s`, `1.5h`; days (`7d`) too.
 * @param bareUnit what a number without a unit means; without it such a number is refused
 * @returns milliseconds, or undefined when the text is no duration
 */
export function parseDuration(text: string, bareUnit?: 's' | 'ms'): number | undefined {
  const trimmed = text.trim();
  if (BARE_NUMBER.test(trimmed)) {
    const amount = Number(trimmed);
    if (bareUnit !== undefined) {
      return amount * (UNIT_MS[bareUnit] ?? 1);
    }
    // Zero needs no unit, as in Go.
    return amount === 0 ? 0 : undefined;
  }
  let total = 0;
  let end = 0;
  for (;;) {
    DURATION_PART.lastIndex = end;
    const part = DURATION_PART.exec(trimmed);
    if (part === null) {
      break;
    }
    total += Number(part[1]) * (UNIT_MS[part[2] ?? ''] ?? Number.NaN);
    end = DURATION_PART.lastIndex;
  }
  return end > 0 && end === trimmed.length ? total : undefined;
}

/** A duration in the unit that shows it shortest: `1500` is `1500ms`, `30000` is `30s`. */
export function formatDuration(milliseconds: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    const size = UNIT_MS[unit] ?? 1;
    if (milliseconds !== 0 && milliseconds % size === 0) {
      return `${milliseconds / size}${unit}`;
    }
  }
  return milliseconds === 0 ? '0s' : `${milliseconds}ms`;
}
