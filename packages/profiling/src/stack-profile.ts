import { fileURLToPath } from 'node:url';
import { Function as PprofFunction, Line, Location, Profile, Sample, StringTable, ValueType } from 'pprof-format';

/** A function as V8 tells of it. */
export interface Frame {
  readonly functionName: string;
  /** `file:///app/dist/main.js`, `node:internal/timers`, or empty for what is no JavaScript. */
  readonly url: string;
  /** Where the function begins; from 0. -1 for what is no JavaScript. */
  readonly lineNumber: number;
}

/** A function on a stack, and the line in it, from 1; 0 when unknown. */
export interface StackEntry {
  readonly frame: Frame;
  readonly line: number;
}

/** What is measured: `cpu` in `nanoseconds`. */
export interface MeasuredType {
  readonly type: string;
  readonly unit: string;
}

export interface StackProfileSettings {
  readonly types: readonly MeasuredType[];
  /** What passes between two samples, in the unit of the last type. */
  readonly period: number;
  /** Milliseconds since 1970. */
  readonly takenAt: number;
  readonly durationMs: number;
  /** Lines that `pprof -comments` prints. */
  readonly comments: readonly string[];
}

const NANOSECONDS_PER_MS = 1e6;
const ANONYMOUS = '(anonymous)';

/** Gathers stacks into a profile as pprof knows it (https://github.com/google/pprof/blob/main/proto/profile.proto). */
export class StackProfile {
  readonly #strings = new StringTable();
  readonly #functions = new Map<string, PprofFunction>();
  readonly #locations = new Map<string, Location>();
  readonly #samples: Sample[] = [];

  /**
   * @param stack the innermost function first
   * @param values one for each type, whole numbers
   */
  add(stack: readonly StackEntry[], values: readonly number[]): void {
    this.#samples.push(
      new Sample({ locationId: stack.map((entry) => this.#location(entry)), value: [...values], label: [] }),
    );
  }

  /** The profile in the protocol buffers format, not compressed. */
  encode({ types, period, takenAt, durationMs, comments }: StackProfileSettings): Uint8Array {
    const typed = ({ type, unit }: MeasuredType): ValueType =>
      new ValueType({ type: this.#strings.dedup(type), unit: this.#strings.dedup(unit) });
    const sampleType = types.map(typed);
    const periodType = sampleType.at(-1);
    const comment = comments.map((text) => this.#strings.dedup(text));
    return new Profile({
      sampleType,
      sample: this.#samples,
      location: [...this.#locations.values()],
      function: [...this.#functions.values()],
      stringTable: this.#strings,
      timeNanos: BigInt(Math.round(takenAt)) * BigInt(NANOSECONDS_PER_MS),
      durationNanos: Math.round(durationMs * NANOSECONDS_PER_MS),
      ...(periodType === undefined ? {} : { periodType }),
      period,
      comment,
    }).encode();
  }

  #location({ frame, line }: StackEntry): number {
    const functionId = this.#function(frame);
    const key = `${functionId}:${line}`;
    let location = this.#locations.get(key);
    if (location === undefined) {
      location = new Location({ id: this.#locations.size + 1, line: [new Line({ functionId, line })] });
      this.#locations.set(key, location);
    }
    return Number(location.id);
  }

  #function({ functionName, url, lineNumber }: Frame): number {
    const key = `${functionName}\n${url}\n${lineNumber}`;
    let found = this.#functions.get(key);
    if (found === undefined) {
      const file = fileOf(url);
      found = new PprofFunction({
        id: this.#functions.size + 1,
        name: this.#strings.dedup(shownName(functionName, file, lineNumber + 1)),
        systemName: this.#strings.dedup(functionName),
        filename: this.#strings.dedup(file),
        startLine: lineNumber + 1,
      });
      this.#functions.set(key, found);
    }
    return Number(found.id);
  }
}

/**
 * With the name of the file: pprof's lists show functions alone, and in JavaScript dozens are called `begin` or nothing at all.
 * `begin relay-call.js`, `(anonymous) relay-call.js:33`, `(garbage collector)`.
 */
function shownName(functionName: string, file: string, line: number): string {
  const name = functionName === '' ? ANONYMOUS : functionName;
  if (file === '') return name;
  const base = file.startsWith('node:') ? file : file.slice(file.lastIndexOf('/') + 1);
  return functionName === '' ? `${name} ${base}:${line}` : `${name} ${base}`;
}

function fileOf(url: string): string {
  if (!url.startsWith('file:')) return url;
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}
