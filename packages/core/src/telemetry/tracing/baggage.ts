import type { Field, Invocation } from '../../invocation.js';
import { keptText } from './kept-text.js';

/** https://www.w3.org/TR/baggage/ */
const W3C_FIELD = 'baggage';
/** Jaeger's clients have a field for each item. */
const JAEGER_PREFIX = 'uberctx-';

/**
 * What an inbound call brings for those that follow it.
 * @param maxBytes names and values together; the field with which it would be more is left out, and what comes after it
 * @returns undefined when there is none
 */
export function readBaggage(call: Invocation, maxBytes: number): readonly Field[] | undefined {
  const w3c = call.header(W3C_FIELD);
  const jaeger = call.fieldsBeginning(JAEGER_PREFIX);
  if (w3c === undefined && jaeger.length === 0) return undefined;
  const kept: Field[] = [];
  let bytes = 0;
  for (const field of w3c === undefined ? jaeger : [[W3C_FIELD, w3c] as const, ...jaeger]) {
    bytes += field[0].length + field[1].length;
    if (bytes > maxBytes) break;
    kept.push([keptText(field[0]), keptText(field[1])]);
  }
  return kept.length === 0 ? undefined : kept;
}

/** Gives an outbound call the fields that it does not have. */
export function addBaggage(call: Invocation, baggage: readonly Field[]): void {
  for (const [name, value] of baggage) if (call.header(name.toLowerCase()) === undefined) call.addHeader(name, value);
}
