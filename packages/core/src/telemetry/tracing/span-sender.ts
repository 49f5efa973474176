import { backoff, jittered } from '../../ports/waiting.js';
import type { Ports, TimerHandle } from '../../ports/ports.js';
import { within } from '../../ports/within.js';
import type { LabelledCounter } from '../policy-metrics.js';
import type { ExporterSettings, SpanExporter, SpanExporterFactory } from './span-exporter.js';
import { SpanQueue } from './span-queue.js';
import type { SpanRecord } from './span-record.js';

/** Pauses after a batch that was not taken; the exporters of OpenTelemetry repeat inside a batch's time by themselves. */
const PAUSES = { minRetryDelay: 1_000, maxRetryDelay: 30_000 } as const;
/** What a start waits for. */
const PREPARE_MS = 2_000;
/** What the end of a process waits for, so that the spans of its last calls are not lost. */
const FAREWELL_MS = 1_000;

/** Longer than the time of a batch, so that an exporter that keeps to it says itself what was wrong. */
const GRACE_MS = 500;

export interface SenderOptions {
  readonly batchSize: number;
  readonly batchIntervalMs: number;
  readonly maxQueued: number;
}

/** What a sender works with. */
export interface SenderParts {
  readonly ports: Ports;
  readonly factory: SpanExporterFactory;
  readonly settings: ExporterSettings;
  /** `mesher_spans_total`. */
  readonly counter: LabelledCounter;
}

/**
 * Hands spans to the exporter, batch after batch, one at a time and never while a call is being decided about. A batch that the collector
 * does not take is lost: keeping it would mean losing newer ones.
 */
export class SpanSender {
  readonly #queue: SpanQueue;
  #timer: TimerHandle | undefined;
  #isUrgent = false;
  #sending: Promise<void> | undefined;
  #exporter: Promise<SpanExporter> | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(
    private readonly parts: SenderParts,
    private readonly options: SenderOptions,
  ) {
    this.#queue = new SpanQueue(options.maxQueued);
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Opens the exporter; one that cannot be opened now is tried again with the first batch. Takes two seconds at most. */
  async prepare(): Promise<void> {
    const opened = this.#open().catch(() => undefined);
    await within(this.parts.ports.timers, PREPARE_MS, opened);
  }

  /** Takes a span if there is room; never waits and never throws. */
  offer(span: SpanRecord): void {
    if (this.#isClosed || !this.#queue.push(span)) {
      this.parts.counter.add(['dropped']);
      return;
    }
    if (this.#sending !== undefined || this.#failures > 0 || this.#isUrgent) return;
    if (this.#queue.size >= this.options.batchSize) this.#schedule(0, true);
    else if (this.#timer === undefined) this.#schedule(jittered(this.parts.ports, this.options.batchIntervalMs), false);
  }

  /** Sends what waits, as far as the collector takes it within a second, and closes the exporter. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    const { timers } = this.parts.ports;
    const isThere = this.#failures === 0;
    await within(timers, FAREWELL_MS, isThere ? this.#sendAll() : Promise.resolve());
    await within(timers, FAREWELL_MS, this.#exporter?.then((one) => one.close()) ?? Promise.resolve()).catch(() => {});
  }

  #schedule(ms: number, isUrgent: boolean): void {
    this.#timer?.cancel();
    this.#isUrgent = isUrgent;
    this.#timer = this.parts.ports.timers.after(ms, () => {
      this.#timer = undefined;
      this.#isUrgent = false;
      this.#sending = this.#send().finally(() => {
        this.#sending = undefined;
        this.#next();
      });
    });
  }

  #next(): void {
    if (this.#isClosed) return;
    const { ports } = this.parts;
    const { batchSize, batchIntervalMs } = this.options;
    if (this.#failures > 0) this.#schedule(backoff(ports, this.#failures, PAUSES), false);
    else if (this.#queue.size >= batchSize) this.#schedule(0, true);
    else if (this.#queue.size > 0) this.#schedule(jittered(ports, batchIntervalMs), false);
  }

  async #sendAll(): Promise<void> {
    await this.#sending;
    while (this.#queue.size > 0 && this.#failures === 0) await this.#send();
  }

  /** Sends one batch; never rejects. */
  async #send(): Promise<void> {
    const { counter, ports, settings } = this.parts;
    const batch = this.#queue.take(this.options.batchSize);
    if (batch.length === 0) {
      // The pause after a failure is over and nothing came meanwhile: the next span is tried as if nothing had happened.
      this.#failures = 0;
      return;
    }
    try {
      const exporter = await this.#open();
      // Not every library gives up by itself.
      const isTaken = await within(ports.timers, settings.timeoutMs + GRACE_MS, exporter.export(batch));
      if (!isTaken) throw new Error(`the collector did not answer within ${settings.timeoutMs} ms`);
      counter.add(['exported'], batch.length);
      if (this.#failures > 0) settings.logger.info({}, 'the collector takes spans again');
      this.#failures = 0;
    } catch (error) {
      counter.add(['failed'], batch.length);
      // Said once, not with each batch: calls go on, and the metrics tell how many spans are lost.
      if (this.#failures++ === 0) settings.logger.warn({ error }, 'spans cannot be exported; calls are not affected');
    }
  }

  #open(): Promise<SpanExporter> {
    const { factory, settings } = this.parts;
    this.#exporter ??= factory.open(settings).catch((error: unknown) => {
      this.#exporter = undefined;
      throw error;
    });
    return this.#exporter;
  }
}
