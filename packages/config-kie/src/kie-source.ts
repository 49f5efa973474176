import type { ConfigSource, Logger, Ports, SourceSnapshot } from '@mesher/core';
import { createHash } from 'node:crypto';
import { NO_REVISION, type KieClient } from './kie-client.js';
import type { LabelSet } from './label-sets.js';
import { Wake } from './wake.js';

export interface KieSourceOptions {
  /** Long polls, or questions at intervals. */
  readonly watches: boolean;
  readonly refreshIntervalMs: number;
  readonly minIntervalMs: number;
  /** After an answer with another revision, until everything is asked for once more. */
  readonly confirmAfterMs: number;
  /** Between two questions for everything. */
  readonly fullRefreshMs: number;
}

/** What is known about one set of labels. */
interface Dimension {
  readonly labels: LabelSet;
  revision: number;
  values: ReadonlyMap<string, string> | undefined;
}

/** The values of all label sets together, followed by long polls or at intervals. */
export class KieSource implements ConfigSource {
  readonly name = 'kie';

  /** @param labelSets from low to high: of two that set the same key the later one wins */
  constructor(
    private readonly client: KieClient,
    private readonly labelSets: readonly LabelSet[],
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly options: KieSourceOptions,
  ) {}

  /** Begins anew with each call, at the next server after a failure. */
  async *watch(signal: AbortSignal): AsyncIterable<SourceSnapshot> {
    await this.client.refreshToken();
    const dimensions = this.labelSets.map((labels): Dimension => ({
      labels,
      revision: NO_REVISION,
      values: undefined,
    }));
    const wake = new Wake();
    const inner = new AbortController();
    const stop = (): void => inner.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    let failure: { readonly error: unknown } | undefined;
    const loops = dimensions.map((dimension) =>
      this.#follow(dimension, wake, inner.signal).catch((error: unknown) => {
        failure ??= { error };
        wake.call();
      }),
    );
    let shown: string | undefined;
    try {
      while (!inner.signal.aborted) {
        await wake.next(inner.signal);
        if (failure !== undefined) throw failure.error;
        const entries = inner.signal.aborted ? undefined : merge(dimensions);
        if (entries === undefined) continue;
        const digest = digestOf(entries);
        if (digest === shown) continue;
        shown = digest;
        // The same number may come with other values: see `isFull` below, and two label sets that change one after the other.
        const revision = `${Math.max(...dimensions.map((dimension) => dimension.revision))}-${digest}`;
        this.logger.debug({ revision, keys: entries.size }, 'the config center says something new');
        yield { revision, entries };
      }
    } catch (error) {
      this.client.useNext();
      throw error;
    } finally {
      stop();
      signal.removeEventListener('abort', stop);
      await Promise.allSettled(loops);
      if (signal.aborted) this.client.close();
    }
  }

  /** Asks about one set of labels until the signal aborts. */
  async #follow(dimension: Dimension, wake: Wake, signal: AbortSignal): Promise<void> {
    const { watches, refreshIntervalMs, minIntervalMs, confirmAfterMs, fullRefreshMs } = this.options;
    const { clock } = this.ports;
    const { labels } = dimension;
    let isFull = true;
    let nextFullAt = 0;
    while (!signal.aborted) {
      isFull ||= clock.now() >= nextFullAt;
      if (isFull) nextFullAt = clock.now() + fullRefreshMs;
      const answer = await this.client.ask(
        {
          labels,
          revision: isFull ? NO_REVISION : dimension.revision,
          waitMs: watches && !isFull ? refreshIntervalMs : 0,
        },
        signal,
      );
      const hasMoved = answer.changed && answer.revision !== dimension.revision;
      if (answer.changed) {
        dimension.revision = answer.revision;
        dimension.values = answer.values;
        wake.call();
      }
      // The values may be older than the revision that came with them, so another revision is always looked at twice.
      isFull = hasMoved;
      const shortest = hasMoved ? Math.max(confirmAfterMs, minIntervalMs) : minIntervalMs;
      // Without a revision to wait beyond, as older servers answer, every question is answered at once.
      const isHeldBack = watches && dimension.revision !== NO_REVISION;
      await this.#pause(isHeldBack ? shortest : refreshIntervalMs, signal);
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = this.ports.timers.after(ms, end);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}

/** Undefined until every set of labels was answered: half of an answer would look like deleted keys. */
function merge(dimensions: readonly Dimension[]): ReadonlyMap<string, string> | undefined {
  const merged = new Map<string, string>();
  for (const { values } of dimensions) {
    if (values === undefined) return undefined;
    for (const [key, value] of values) merged.set(key, value);
  }
  return merged;
}

/** Characters of the hash: enough to tell apart what one config center says over the years. */
const DIGEST_LENGTH = 12;

/** Equal for equal values, in whatever order they came. */
function digestOf(entries: ReadonlyMap<string, string>): string {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, DIGEST_LENGTH);
}
