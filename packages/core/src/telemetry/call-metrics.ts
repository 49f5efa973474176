import { ERRORS } from '../errors.js';
import type { ErrorCode } from '../errors.js';
import { HIGHEST_GRPC_STATUS } from '../grpc/status.js';
import type { Direction } from '../invocation.js';
import { DURATION_BUCKET_COUNT, durationBucket } from './duration-buckets.js';
import { ResponseCounts } from './response-counts.js';
import { SourceCounts } from './source-counts.js';

/** How a call ended, by the first digit of its status; `none` when the caller left first or there was no status (TCP). */
export const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export type StatusClass = (typeof STATUS_CLASSES)[number];

/** Every code that a retry or rejection can be counted under, in the order of the error table. */
export const COUNTED_CODES: readonly ErrorCode[] = Object.keys(ERRORS) as ErrorCode[];

/** Series of all services that came after the cap was reached. */
export const OTHER_SERVICE = '_other';

/**
 * Series of calls whose service the registry does not know. Callers choose such names freely, so they must never become series
 * of their own.
 */
export const UNKNOWN_SERVICE = '_unknown';

/** Services per direction that get series of their own. With all of them busy a scrape is about 40,000 lines (4 MB). */
export const DEFAULT_MAX_SERVICES = 500;

export interface CallMetricsOptions {
  /** Services per direction with series of their own; default {@link DEFAULT_MAX_SERVICES}. */
  readonly maxServices?: number;
}

/** Which calls a slot counts. */
export interface MetricsSlot {
  readonly direction: Direction;
  readonly service: string;
}

/** Slots at the start; the arrays double when they are full, so a sidecar with few peers stays below 30 KB. */
const INITIAL_SLOTS = 16;

/** Per status class: the buckets, then the sum of the durations. */
const CLASS_STRIDE = DURATION_BUCKET_COUNT + 1;
const SLOT_STRIDE = STATUS_CLASSES.length * CLASS_STRIDE;
const CODE_STRIDE = COUNTED_CODES.length;
const GRPC_STRIDE = HIGHEST_GRPC_STATUS + 1;
const CODE_INDEX: ReadonlyMap<string, number> = new Map(COUNTED_CODES.map((code, index) => [code, index]));

/**
 * Numbers about calls, by direction and service, in typed arrays: recording is a few additions and allocates nothing. Whoever
 * scrapes reads them through the `…Of` methods; nothing here knows prom-client.
 *
 * Counters are doubles, exact up to 2^53; 32 bits would overflow within two days at 30,000 requests/s.
 *
 * A slot is never given to another service. A counter that vanished between two scrapes would lose what was counted last, and
 * calls in flight still hold the number of their slot; the cap bounds the memory instead (about 1.6 MB when it is reached).
 */
export class CallMetrics {
  /** Inbound calls by caller. */
  readonly sources = new SourceCounts();
  /** Answers by exact status; counted beside {@link record}, which knows classes alone. */
  readonly responses = new ResponseCounts();
  readonly #maxServices: number;
  readonly #slots: MetricsSlot[] = [];
  readonly #slotsByService: Record<Direction, Map<string, number>> = { outbound: new Map(), inbound: new Map() };
  /** [slot][status class][buckets…, sum in ms] */
  #calls = new Float64Array(INITIAL_SLOTS * SLOT_STRIDE);
  #inFlight = new Int32Array(INITIAL_SLOTS);
  #requestBytes = new Float64Array(INITIAL_SLOTS);
  #responseBytes = new Float64Array(INITIAL_SLOTS);
  #retries = new Float64Array(INITIAL_SLOTS * CODE_STRIDE);
  #rejections = new Float64Array(INITIAL_SLOTS * CODE_STRIDE);
  /** By gRPC status; undefined before the first gRPC call. */
  #grpc: Float64Array | undefined;
  #capacity = INITIAL_SLOTS;
  #seriesDropped = 0;

  constructor(options: CallMetricsOptions = {}) {
    this.#maxServices = options.maxServices ?? DEFAULT_MAX_SERVICES;
  }

  /**
   * The slot of a service, made on first use; beyond the cap the slot of {@link OTHER_SERVICE}. Looking it up is one map access:
   * keep the number where the service is known (its plan), not per call.
   * @param service a name that the registry knows, or {@link UNKNOWN_SERVICE}; never a name that a caller made up
   */
  slotFor(direction: Direction, service: string): number {
    const slots = this.#slotsByService[direction];
    const known = slots.get(service);
    if (known !== undefined) return known;
    const reserved = service === OTHER_SERVICE || service === UNKNOWN_SERVICE;
    if (!reserved && this.#namedServices(slots) >= this.#maxServices) {
      this.#seriesDropped++;
      return this.slotFor(direction, OTHER_SERVICE);
    }
    const slot = this.#slots.push({ direction, service }) - 1;
    if (slot >= this.#capacity) this.#grow();
    slots.set(service, slot);
    return slot;
  }

  /** A call began. Exactly one {@link record} or {@link withdrawn} must follow. A slot of -1 is ignored, here and in the other methods. */
  started(slot: number): void {
    if (slot >= 0) this.#inFlight[slot]!++;
  }

  /** A call that was {@link started} turns out to be for another service: it ends there. */
  moved(from: number, to: number): void {
    if (from >= 0) this.#inFlight[from]!--;
    if (to >= 0) this.#inFlight[to]!++;
  }

  /** A call that was {@link started} turns out to be none: nothing is counted. */
  withdrawn(slot: number): void {
    this.moved(slot, -1);
  }

  /**
   * A call that was {@link started} ended.
   * @param status HTTP status that the caller got; 0 when there was none
   * @param durationMs milliseconds from the complete request head to the last byte of the answer
   * @param aborted true when the caller went away first: such a call counts as `none`, whatever its status
   */
  record(slot: number, status: number, durationMs: number, aborted: boolean): void {
    if (slot < 0) return;
    this.#inFlight[slot]!--;
    const statusClass = aborted || !(status >= 100 && status < 600) ? 0 : (status / 100) | 0;
    const base = slot * SLOT_STRIDE + statusClass * CLASS_STRIDE;
    this.#calls[base + durationBucket(durationMs)]!++;
    // A duration that is not a number would spoil the sum for ever.
    if (durationMs > 0) this.#calls[base + DURATION_BUCKET_COUNT]! += durationMs;
  }

  /** A gRPC call ended with this status, 0..16. Counted beside {@link record}, not instead of it. */
  countGrpc(slot: number, status: number): void {
    if (slot < 0) return;
    this.#grpc ??= new Float64Array(this.#capacity * GRPC_STRIDE);
    this.#grpc[slot * GRPC_STRIDE + status]!++;
  }

  /** Mesher itself answered with an error. Counted beside {@link record}, not instead of it. */
  countRejection(slot: number, code: ErrorCode): void {
    const index = CODE_INDEX.get(code);
    if (slot >= 0 && index !== undefined) this.#rejections[slot * CODE_STRIDE + index]!++;
  }

  /** Another attempt was started because the one before failed with `code`. */
  countRetry(slot: number, code: ErrorCode): void {
    const index = CODE_INDEX.get(code);
    if (slot >= 0 && index !== undefined) this.#retries[slot * CODE_STRIDE + index]!++;
  }

  /** Adds what a call carried, in bytes of message bodies; call it once per call, or as often as is convenient. */
  countBytes(slot: number, requestBytes: number, responseBytes: number): void {
    if (slot < 0) return;
    this.#requestBytes[slot]! += requestBytes;
    this.#responseBytes[slot]! += responseBytes;
  }

  /** Slots in use; they are numbered from 0. */
  get slotCount(): number {
    return this.#slots.length;
  }

  /** How often {@link slotFor} had no series of its own left to give. */
  get seriesDropped(): number {
    return this.#seriesDropped;
  }

  /** @throws RangeError when `slot` is not below {@link slotCount} */
  slotAt(slot: number): MetricsSlot {
    const found = this.#slots[slot];
    if (found === undefined) throw new RangeError(`there is no metrics slot ${slot}`);
    return found;
  }

  inFlightOf(slot: number): number {
    return this.#inFlight[slot] ?? 0;
  }

  /** Calls of one status class (an index into {@link STATUS_CLASSES}) that fell into one duration bucket (not cumulative). */
  bucketOf(slot: number, statusClass: number, bucket: number): number {
    return this.#calls[slot * SLOT_STRIDE + statusClass * CLASS_STRIDE + bucket] ?? 0;
  }

  /** Calls that ended with one status class. */
  requestsOf(slot: number, statusClass: number): number {
    let requests = 0;
    for (let bucket = 0; bucket < DURATION_BUCKET_COUNT; bucket++) requests += this.bucketOf(slot, statusClass, bucket);
    return requests;
  }

  /** Sum of the durations of one status class in seconds. */
  secondsOf(slot: number, statusClass: number): number {
    return this.bucketOf(slot, statusClass, DURATION_BUCKET_COUNT) / 1000;
  }

  /** Rejections under `COUNTED_CODES[codeIndex]`. */
  rejectionsOf(slot: number, codeIndex: number): number {
    return this.#rejections[slot * CODE_STRIDE + codeIndex] ?? 0;
  }

  /** Retries under `COUNTED_CODES[codeIndex]`. */
  retriesOf(slot: number, codeIndex: number): number {
    return this.#retries[slot * CODE_STRIDE + codeIndex] ?? 0;
  }

  /** gRPC calls that ended with a status; undefined while no call of the slot has been one. */
  grpcOf(slot: number): ArrayLike<number> | undefined {
    const counts = this.#grpc?.subarray(slot * GRPC_STRIDE, (slot + 1) * GRPC_STRIDE);
    return counts?.some((count) => count > 0) === true ? counts : undefined;
  }

  requestBytesOf(slot: number): number {
    return this.#requestBytes[slot] ?? 0;
  }

  responseBytesOf(slot: number): number {
    return this.#responseBytes[slot] ?? 0;
  }

  #namedServices(slots: ReadonlyMap<string, number>): number {
    return slots.size - (slots.has(OTHER_SERVICE) ? 1 : 0) - (slots.has(UNKNOWN_SERVICE) ? 1 : 0);
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#calls = enlarged(this.#calls, this.#capacity * SLOT_STRIDE);
    this.#requestBytes = enlarged(this.#requestBytes, this.#capacity);
    this.#responseBytes = enlarged(this.#responseBytes, this.#capacity);
    this.#retries = enlarged(this.#retries, this.#capacity * CODE_STRIDE);
    this.#rejections = enlarged(this.#rejections, this.#capacity * CODE_STRIDE);
    if (this.#grpc !== undefined) this.#grpc = enlarged(this.#grpc, this.#capacity * GRPC_STRIDE);
    const inFlight = new Int32Array(this.#capacity);
    inFlight.set(this.#inFlight);
    this.#inFlight = inFlight;
  }
}

function enlarged(values: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(length);
  copy.set(values);
  return copy;
}
