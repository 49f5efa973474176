import { formatGrpcTimeout, GRPC_TIMEOUT_FIELD, parseGrpcTimeout } from '../../grpc/timeout.js';
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
    const asked = text === undefined ? Infinity : this.#believed(text);
    return call.protocol === 'grpc' ? Math.min(asked, this.#askedByGrpc(call)) : asked;
  }

  /** Like {@link asked}; what is not believed is taken out, so that nobody behind has to wonder. */
  receive(call: Invocation): number {
    const text = call.header(TIMEOUT_FIELD);
    const grpcAsked = call.protocol === 'grpc' ? this.#receiveGrpc(call) : Infinity;
    if (text === undefined) return grpcAsked;
    const asked = this.#believed(text);
    if (asked === Infinity && this.options.honour !== 'off') call.removeHeader(TIMEOUT_FIELD);
    return Math.min(asked, grpcAsked);
  }

  /** Tells the called side how much time is left. @param remainingMs at least 1 is sent: with 0 the call would be over */
  announce(call: Invocation, remainingMs: number): void {
    if (remainingMs > MAX_ANNOUNCED || !this.#mayAnnounce(call)) return;
    call.setHeader(TIMEOUT_FIELD, String(Math.max(1, Math.round(remainingMs))));
  }

  /**
   * Tells a called gRPC service how much time is left, in the field of its own protocol. While nothing of the caller's time has passed
   * its field goes on as it is.
   * @param passedMs what has passed since the call began
   * @param ownMs until the timeouts that were chosen here
   */
  announceGrpc(call: Invocation, passedMs: number, ownMs: number): void {
    const { grpcTimeout, honour, propagate } = this.options;
    if (grpcTimeout === 'remaining' && passedMs <= 0) return;
    const asked = this.#askedByGrpc(call);
    const isShorter = grpcTimeout === 'shorten' && propagate && ownMs <= MAX_ANNOUNCED && ownMs < asked - passedMs;
    if (honour === 'off' || (!isShorter && (asked === Infinity || passedMs <= 0))) return;
    call.setHeader(GRPC_TIMEOUT_FIELD, formatGrpcTimeout(Math.max(1, isShorter ? ownMs : asked - passedMs)));
  }

  /** Like {@link announce}, with a field that was made ahead, for a call that has none. */
  announceAs(call: Invocation, announcement: FieldBundle): void {
    if (this.#mayAnnounce(call)) call.addFields(announcement);
  }

  /** More than can be announced is no bound at all. */
  #askedByGrpc(call: Invocation): number {
    const text = this.options.honour === 'trust' ? call.header(GRPC_TIMEOUT_FIELD) : undefined;
    const asked = text === undefined ? undefined : parseGrpcTimeout(text);
    return asked === undefined || asked > MAX_ANNOUNCED ? Infinity : asked;
  }

  /** A field that cannot be read stays for the service, which answers with INTERNAL as the protocol wants it. */
  #receiveGrpc(call: Invocation): number {
    if (this.options.honour === 'strip' && call.header(GRPC_TIMEOUT_FIELD) !== undefined) {
      call.removeHeader(GRPC_TIMEOUT_FIELD);
    }
    return this.#askedByGrpc(call);
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
