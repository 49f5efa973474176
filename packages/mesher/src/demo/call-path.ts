/** What `hello` answers: the answer of `world` with the timing fields that the sidecars added on its way back. */
export interface HelloAnswer {
  readonly status: number;
  readonly answer: string;
  readonly timing: readonly string[];
}

/** One sidecar on the way of a call. */
export interface Hop {
  readonly direction: string;
  readonly service: string;
  /** Where it sent the call. */
  readonly target: string;
  /** Until the head of the answer. */
  readonly durationMs: number;
}

/** Reads the hops out of `Server-Timing` fields (W3C), outermost first. */
export function readHops(timing: readonly string[]): Hop[] {
  return timing
    .flatMap((field) => field.split(/,\s*(?=mesher;)/))
    .map((field) => /^mesher;desc="(\w+) (\S+) (\S+)";dur=([\d.]+)$/.exec(field.trim()))
    .filter((match) => match !== null)
    .map(([, direction = '', service = '', target = '', duration = '0']) => ({
      direction,
      service,
      target,
      durationMs: Number(duration),
    }))
    .reverse();
}
