import { Alarm, jittered, pause, type ConfigSource, type Logger, type Ports, type SourceSnapshot } from '@mesher/core';
import { createHash } from 'node:crypto';
import type { Indexed } from '../client/blocking-answer.js';
import type { ConsulClient } from '../client/consul-client.js';
import { ConsulError } from '../client/consul-error.js';
import type { Place } from './places.js';
import { readKeys, type PlaceContent } from './read-keys.js';

export interface ConsulSourceOptions {
  /** Blocking queries, or questions at intervals. */
  readonly watches: boolean;
  readonly refreshIntervalMs: number;
  readonly minIntervalMs: number;
}

/** What is known of a place, also from former watches. */
interface Known {
  readonly place: Place;
  /** Of the last answer with keys. */
  index: bigint;
  hasKeys: boolean;
  /** Keys of which was told that their values are no text. */
  unreadable: string;
}

/** The keys of all places together, followed by blocking queries or at intervals. */
export class ConsulSource implements ConfigSource {
  readonly name = 'consul';
  readonly #known: readonly Known[];

  /** @param places from low to high: of two that set the same key the later one wins */
  constructor(
    private readonly client: ConsulClient,
    places: readonly Place[],
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly options: ConsulSourceOptions,
  ) {
    this.#known = places.map((place) => ({ place, index: 0n, hasKeys: false, unreadable: '' }));
  }

  /** Begins anew with each call. Says nothing before all places were answered: half of an answer would look like deleted keys. */
  async *watch(signal: AbortSignal): AsyncIterable<SourceSnapshot> {
    const contents = new Map<Known, PlaceContent>();
    const alarm = new Alarm();
    const inner = new AbortController();
    const stop = (): void => inner.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    let failure: { readonly error: unknown } | undefined;
    const loops = this.#known.map((known) =>
      this.#follow(known, inner.signal, (content) => {
        contents.set(known, content);
        alarm.ring();
      }).catch((error: unknown) => {
        failure ??= { error };
        alarm.ring();
      }),
    );
    let shown: string | undefined;
    try {
      while (!inner.signal.aborted) {
        await alarm.sleep(this.ports, undefined, inner.signal);
        if (failure !== undefined) throw failure.error;
        if (inner.signal.aborted || contents.size < this.#known.length) continue;
        const snapshot = this.#merge(contents);
        if (snapshot.revision === shown) continue;
        shown = snapshot.revision;
        this.logger.debug({ revision: shown, keys: snapshot.entries.size }, 'the keys of Consul say something new');
        yield snapshot;
      }
    } finally {
      stop();
      signal.removeEventListener('abort', stop);
      await Promise.allSettled(loops);
      if (signal.aborted) this.client.close();
    }
  }

  /** Asks about one place until the signal aborts. The rules are those of blocking queries: an index that goes back begins anew. */
  async #follow(known: Known, signal: AbortSignal, take: (content: PlaceContent) => void): Promise<void> {
    const { watches, refreshIntervalMs, minIntervalMs } = this.options;
    const { clock } = this.ports;
    let index = 0n;
    while (!signal.aborted) {
      const askedAt = clock.now();
      const question = index === 0n ? { index, waitMs: 0 } : { index, waitMs: refreshIntervalMs };
      const answer = await this.client.keysBelow(known.place.key, question, signal);
      take(this.#judge(known, answer));
      index = !watches || answer.index < index ? 0n : answer.index;
      const rest = askedAt + jittered(this.ports, watches ? minIntervalMs : refreshIntervalMs) - clock.now();
      if (rest > 0) await pause(this.ports, rest, signal);
    }
  }

  /** @throws ConsulError for an answer that must not be taken for what is configured */
  #judge(known: Known, { content, index, isFiltered }: Indexed<unknown>): PlaceContent {
    const { key } = known.place;
    if (isFiltered) {
      throw new ConsulError('CONSUL_DENIED', `the token may not see all keys at ${key}; look at its policies`);
    }
    const read = readKeys(content, known.place);
    const hasKeys = read.documents.size + read.values.size > 0;
    // Who deletes keys makes the index grow. An agent that was started again without its memory begins at a low one.
    if (!hasKeys && known.hasKeys && index < known.index) {
      const why = 'and its index went back: it lost its memory. What it said before counts until keys are there again';
      throw new ConsulError('CONSUL_ANSWER', `${this.client.origin} has no keys at ${key} any more, ${why}`);
    }
    known.hasKeys = hasKeys;
    known.index = index;
    const unreadable = read.unreadable.join();
    const isTold = known.unreadable === unreadable;
    known.unreadable = unreadable;
    if (unreadable !== '' && !isTold) {
      this.logger.warn({ keys: read.unreadable }, 'values in Consul are no text (UTF-8), and are left out');
    }
    return read;
  }

  #merge(contents: ReadonlyMap<Known, PlaceContent>): SourceSnapshot {
    const entries = new Map<string, string>();
    const documents = new Set<string>();
    const set = (key: string, text: string): void => {
      // Moves it to the end, where what wins stands.
      entries.delete(key);
      entries.set(key, text);
    };
    for (const known of this.#known) {
      const content = contents.get(known);
      for (const [key, text] of content?.documents ?? []) {
        documents.add(key);
        set(key, text);
      }
      for (const [key, text] of content?.values ?? []) set(key, text);
    }
    return { revision: digestOf(entries), entries, documents };
  }
}

/** Characters of the hash: enough to tell apart what one place says over the years. */
const DIGEST_LENGTH = 12;

/** Equal for equal values in the same order of precedence. */
function digestOf(entries: ReadonlyMap<string, string>): string {
  return createHash('sha256')
    .update(JSON.stringify([...entries]))
    .digest('hex')
    .slice(0, DIGEST_LENGTH);
}
