import type { Invocation } from '../../invocation.js';
import type { DeadlineOptions } from './deadline-options.js';

/** Milliseconds that the caller goes on waiting: relative, because clocks differ. */
export const TIMEOUT_FIELD = 'x-mesher-timeout-ms';

/** Most milliseconds that are passed on. Nine digits are eleven days; more is no bound at all. */
export const MAX_ANNOUNCED = 999_999_999;
const MILLISECONDS = /^\d{1,9}$/;

/** Reads and writes how much time a call has left. */
export class DeadlinePropagation {
  constructor(public options: DeadlineOptions) {}

  /**
   * Milliseconds that the caller gives the call; Infinity when it says nothing that can be believed. What cannot be read is taken out,
   * so that nobody behind has to wonder.
   */
  asked(call: Invocation): number {
    const { honour } = this.options;
    if (honour === 'off') return Infinity;
    const text = call.header(TIMEOUT_FIELD);
    if (text === undefined) return Infinity;
    if (honour === 'trust' && MILLISECONDS.test(text)) return Number(text);
    call.removeHeader(TIMEOUT_FIELD);
    return Infinity;
  }

  /** Tells the called side how much time is left. @param remainingMs at least 1 is sent: with 0 the call would be over */
  announce(call: Invocation, remainingMs: number): void {
    if (!this.options.propagate || remainingMs > MAX_ANNOUNCED) return;
    call.setHeader(TIMEOUT_FIELD, String(Math.max(1, Math.round(remainingMs))));
  }
}
