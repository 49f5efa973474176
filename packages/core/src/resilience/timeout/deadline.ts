import type { FieldBundle, Invocation } from '../../invocation.js';
import type { DeadlineOptions } from './deadline-options.js';

/** Milliseconds that the caller goes on waiting: relative, because clocks differ. */
export const TIMEOUT_FIELD = 'x-mesher-timeout-ms';

/** Most milliseconds that are passed on. Nine digits are eleven days; more is no bound at all. */
export const MAX_ANNOUNCED = 999_999_999;
const MILLISECONDS = /^\d{1,9}$/;

/** Reads and writes how much time a call has left. */
export class DeadlinePropagation {
  constructor(public options: DeadlineOptions) {}

  /** Milliseconds that the caller gives the call; Infinity when it says nothing that can be believed. */
  asked(call: Invocation): number {
    const text = call.header(TIMEOUT_FIELD);
    return text === undefined ? Infinity : this.#believed(text);
  }

  /** Like {@link asked}; what is not believed is taken out, so that nobody behind has to wonder. */
  receive(call: Invocation): number {
    const text = call.header(TIMEOUT_FIELD);
    if (text === undefined) return Infinity;
    const asked = this.#believed(text);
    if (asked === Infinity && this.options.honour !== 'off') call.removeHeader(TIMEOUT_FIELD);
    return asked;
  }

  /** Tells the called side how much time is left. @param remainingMs at least 1 is sent: with 0 the call would be over */
  announce(call: Invocation, remainingMs: number): void {
    if (remainingMs > MAX_ANNOUNCED || !this.#mayAnnounce(call)) return;
    call.setHeader(TIMEOUT_FIELD, String(Math.max(1, Math.round(remainingMs))));
  }

  /** Like {@link announce}, with a field that was made ahead, for a call that has none. */
  announceAs(call: Invocation, announcement: FieldBundle): void {
    if (this.#mayAnnounce(call)) call.addFields(announcement);
  }

  #believed(text: string): number {
    return this.options.honour === 'trust' && MILLISECONDS.test(text) ? Number(text) : Infinity;
  }

  /** A field that is to be passed on is not ours to replace; and two of them nobody could read. */
  #mayAnnounce(call: Invocation): boolean {
    const { honour, propagate } = this.options;
    return propagate && (honour !== 'off' || call.header(TIMEOUT_FIELD) === undefined);
  }
}
