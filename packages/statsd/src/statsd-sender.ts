import {
  METRICS,
  within,
  type Clock,
  type Logger,
  type MetricDefinition,
  type MetricFamily,
  type TimerHandle,
  type Timers,
} from '@mesher/core';
import { Datagrams } from './datagrams.js';
import { DeltaReader } from './delta-reader.js';
import { StatNames } from './stat-names.js';
import { StatsdLink, type AddressLookup } from './statsd-link.js';
import type { StatsdOptions } from './statsd-schema.js';

/** Samples that are looked at before the event loop gets a turn: about a millisecond. */
const SAMPLES_PER_TURN = 1000;
/** Of what is sent here: it would have something to tell in each round, in which nothing else happened. */
const OWN_COUNTER = 'mesher_statsd_datagrams_total';
/** Between two lines in the log about a server that cannot be reached. */
const COMPLAINT_MS = 60_000;
/** For the rest at the end: a name server that does not answer (5 s for each try) must not keep a process that ends from leaving the registry. */
const CLOSING_MS = 500;

export interface StatsdParts {
  /** Those of the metrics page; what is sent of them, the options say. */
  readonly families: readonly MetricFamily[];
  readonly ports: { readonly clock: Clock; readonly timers: Timers };
  readonly logger: Logger;
  /** Told of every datagram. */
  readonly count: (result: 'sent' | 'failed') => void;
  /** Replaceable for tests; that of the system when left out. */
  readonly lookup?: AddressLookup;
}

/**
 * Sends what was counted to StatsD, in intervals. Nothing of it is on the way of a call: it reads what the metrics page reads. While the
 * name of the server cannot be looked up nothing is read either, so that no count is lost; a datagram that the system refuses is.
 */
export class StatsdSender {
  readonly #families: readonly MetricFamily[];
  readonly #reader: DeltaReader;
  readonly #link: StatsdLink;
  #timer: TimerHandle | undefined;
  #round: Promise<void> | undefined;
  #complainedAt = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly options: StatsdOptions,
    private readonly parts: StatsdParts,
  ) {
    const { address, families, prefix, tags } = options;
    const groups = new Set<string>(families);
    this.#families = parts.families.filter(
      ({ definition }) => groups.has(groupOf(definition)) && definition.name !== OWN_COUNTER,
    );
    this.#reader = new DeltaReader(new StatNames(prefix, tags));
    this.#link = new StatsdLink(address, parts.ports.clock, parts.lookup);
  }

  /** Begins to send. */
  start(): void {
    this.#timer ??= this.parts.ports.timers.every(this.options.flushInterval, () => void this.flush());
  }

  /** Sends what was counted since the last time; a round that is under way is that round. Never rejects. */
  flush(): Promise<void> {
    this.#round ??= this.#send()
      .catch((error: unknown) => this.#complain(error))
      .finally(() => {
        this.#round = undefined;
      });
    return this.#round;
  }

  /** Sends the rest and closes the socket; takes a second at most, also when the name of the server cannot be looked up. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#timer?.cancel();
    const rest = Promise.resolve(this.#round).then(() => this.flush());
    await within(this.parts.ports.timers, CLOSING_MS, rest);
    await this.#link.close();
  }

  async #send(): Promise<void> {
    await this.#link.open();
    const datagrams = new Datagrams(this.options.maxBufferSize);
    let samplesRead = 0;
    for (const family of this.#families) {
      for await (const samples of family.slices()) {
        for (const line of this.#reader.read(family.definition, samples)) datagrams.add(line);
        samplesRead += samples.length;
        if (samplesRead < SAMPLES_PER_TURN) continue;
        samplesRead = 0;
        await nextTurn();
      }
    }
    for (const datagram of datagrams.take()) {
      const error = await this.#link.send(datagram);
      this.parts.count(error === undefined ? 'sent' : 'failed');
      if (error !== undefined) this.#complain(error);
    }
  }

  /** Once a minute: a server that is away must not fill the log. */
  #complain(error: unknown): void {
    const now = this.parts.ports.clock.now();
    if (now - this.#complainedAt < COMPLAINT_MS) return;
    this.#complainedAt = now;
    this.parts.logger.warn({ error, address: this.options.address }, 'numbers could not be sent to StatsD');
  }
}

function groupOf(definition: MetricDefinition): string {
  return definition === METRICS.responses ? 'responses' : definition.group;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
