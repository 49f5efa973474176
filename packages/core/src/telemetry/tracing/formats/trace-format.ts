import type { CallView } from '../../../invocation.js';
import type { IncomingContext, SpanContext } from '../span-context.js';

/** What a format needs of a call. */
export type FieldReader = Pick<CallView, 'header'>;

/** Takes header fields. */
export interface FieldWriter extends FieldReader {
  addHeader(name: string, value: string): void;
  removeHeader(name: string): void;
}

/** A way to write a span context into header fields. */
export interface TraceFormat {
  /**
   * What the fields of this format say.
   * @returns undefined when there are none, or when they break the rules of the format: they are then as good as not there
   */
  read(call: FieldReader): IncomingContext | undefined;
  /** True when a field of this format came with the call, right or wrong. */
  isPresent(call: FieldReader): boolean;
  /**
   * Puts the fields of `context` in the place of those that came.
   * @param parentSpanId the span above, for formats that tell it
   */
  write(call: FieldWriter, context: SpanContext, parentSpanId: string | undefined): void;
}

/** Replaces a field; one that did not come need not be looked for among those that leave. */
export function putField(call: FieldWriter, name: string, value: string): void {
  dropField(call, name);
  call.addHeader(name, value);
}

export function dropField(call: FieldWriter, name: string): void {
  if (call.header(name) !== undefined) call.removeHeader(name);
}
