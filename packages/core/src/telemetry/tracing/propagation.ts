import { b3MultiFormat, b3SingleFormat } from './formats/b3.js';
import { jaegerFormat } from './formats/jaeger.js';
import type { FieldReader, FieldWriter, TraceFormat } from './formats/trace-format.js';
import { w3cFormat } from './formats/w3c.js';
import type { IncomingContext, SpanContext } from './span-context.js';

export const FORMAT_NAMES = ['w3c', 'b3', 'b3multi', 'jaeger'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

const FORMATS: Readonly<Record<FormatName, TraceFormat>> = {
  w3c: w3cFormat,
  b3: b3SingleFormat,
  b3multi: b3MultiFormat,
  jaeger: jaegerFormat,
};

/**
 * Reads and writes span contexts. The first format that is right in a request counts. Written are the configured formats, and every
 * other one that came with the request: a stale field beside a fresh one would give a next hop that reads it first the wrong parent.
 */
export class Propagation {
  readonly #read: readonly TraceFormat[];
  readonly #always: readonly TraceFormat[];
  readonly #ifPresent: readonly TraceFormat[];

  constructor(read: readonly FormatName[], write: readonly FormatName[]) {
    this.#read = read.map((name) => FORMATS[name]);
    this.#always = [...new Set(write)].map((name) => FORMATS[name]);
    this.#ifPresent = FORMAT_NAMES.filter((name) => !write.includes(name)).map((name) => FORMATS[name]);
  }

  extract(call: FieldReader): IncomingContext | undefined {
    let decision: IncomingContext | undefined;
    for (const format of this.#read) {
      const found = format.read(call);
      if (found?.traceId !== undefined) return found;
      // A decision without ids counts only when no format has ids.
      decision ??= found;
    }
    return decision;
  }

  /** @param parentSpanId the span above, for formats that tell it */
  inject(call: FieldWriter, context: SpanContext, parentSpanId: string | undefined): void {
    for (const format of this.#always) format.write(call, context, parentSpanId);
    for (const format of this.#ifPresent) if (format.isPresent(call)) format.write(call, context, parentSpanId);
  }

  /**
   * Passes on a context that came with the call and that nobody records: what is there and right stays as it is, and configured formats
   * that are missing are added.
   */
  pass(call: FieldWriter, context: SpanContext): void {
    for (const format of this.#always)
      if (format.read(call)?.traceId === undefined) format.write(call, context, undefined);
  }
}
