import { NO_RETRY, PREVIOUS_ATTEMPTS_FIELD, PUSHBACK_FIELD } from '../../grpc/pushback.js';
import type { AnswerView, Invocation } from '../../invocation.js';

/**
 * Field of a request that is sent again: 2 for the second attempt. A layer of Mesher below does not repeat such a request once more,
 * or the attempts of both would multiply.
 */
export const ATTEMPT_FIELD = 'x-mesher-attempt';

/** `none` in a request: do not repeat it. `none` in an answer: the layer that gives it may not repeat it any more. */
export const BUDGET_FIELD = 'x-mesher-retry-budget';

/** Field of an answer: how often the layers below have repeated the request before they gave it. */
export const RETRIES_FIELD = 'x-mesher-retries';

const NO_BUDGET = 'none';

/** Largest number that is believed. */
const MAX_REPORTED = 100;

/** Another layer repeats the call, or does not want it repeated. */
export function isRepeatedElsewhere(call: Invocation): boolean {
  if (call.header(BUDGET_FIELD) === NO_BUDGET) return true;
  const attempt = call.header(ATTEMPT_FIELD);
  if (attempt !== undefined && Number(attempt) >= 2) return true;
  return call.protocol === 'grpc' && Number(call.header(PREVIOUS_ATTEMPTS_FIELD) ?? 0) >= 1;
}

/** Marks the next attempt as a repetition, and the answer as one that took `repeated` of them. */
export function markRepetition(call: Invocation, repeated: number): void {
  call.setHeader(ATTEMPT_FIELD, String(repeated + 1));
  setResponseField(call, RETRIES_FIELD, String(repeated));
  if (call.protocol === 'grpc') call.setHeader(PREVIOUS_ATTEMPTS_FIELD, String(repeated));
}

/** Tells the layer above that the budget of this one is used up. */
export function markExhausted(call: Invocation): void {
  setResponseField(call, BUDGET_FIELD, NO_BUDGET);
  if (call.protocol === 'grpc') setResponseField(call, PUSHBACK_FIELD, NO_RETRY);
}

/** How often the layers below have repeated the request; Infinity when they may not do so any more. */
export function repetitionsBelow(answer: AnswerView): number {
  if (answer.header(BUDGET_FIELD) === NO_BUDGET) return Infinity;
  const text = answer.header(RETRIES_FIELD);
  if (text === undefined) return 0;
  let sum = 0;
  for (const part of text.split(',')) {
    const count = Number(part);
    if (Number.isInteger(count) && count > 0) sum += Math.min(count, MAX_REPORTED);
  }
  return sum;
}

function setResponseField(call: Invocation, name: string, value: string): void {
  const fields = call.responseFields;
  const index = fields?.findIndex(([field]) => field === name) ?? -1;
  if (fields === undefined || index < 0) call.addResponseField(name, value);
  else fields[index] = [name, value];
}
