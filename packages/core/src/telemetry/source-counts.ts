import type { SourceIdentity } from '../resolver/contracts.js';

/** Series of all callers that came after the cap was reached. */
const OTHER_SOURCE = '_other';

/** Series of callers that nobody could name, or whose name cannot be one of a service. */
const UNKNOWN_SOURCE = '_unknown';

/**
 * Callers with series of their own, for each way of naming them. Names in headers are free, so they have a cap of their own: whoever
 * makes them up cannot take the series of callers that the registry knows.
 */
export const MAX_SOURCES = 500;

/** Names that services can have (as `servicecomb.service.name`); anything else in a header gets no series. */
const SERVICE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** One series: calls by one caller. `labels` stays the same object, because prom-client remembers its printed text. */
export interface SourceCount {
  readonly labels: { readonly source: string; readonly by: string };
  count: number;
}

/** Counts inbound calls by caller: one map access per call, and no allocation once the caller is known. */
export class SourceCounts implements Iterable<SourceCount> {
  readonly #named: Readonly<Record<SourceIdentity['by'], Map<string, SourceCount>>> = {
    ip: new Map(),
    header: new Map(),
  };
  readonly #others = { ip: series(OTHER_SOURCE, 'ip'), header: series(OTHER_SOURCE, 'header') };
  readonly #unknown = series(UNKNOWN_SOURCE, 'none');

  /** @param maxSources names with series of their own, for each way of naming; default {@link MAX_SOURCES} */
  constructor(private readonly maxSources = MAX_SOURCES) {}

  /** @param source who called; undefined when nobody knows */
  count(source: SourceIdentity | undefined): void {
    if (source === undefined) {
      this.#unknown.count++;
      return;
    }
    const known = this.#named[source.by].get(source.service);
    (known ?? this.#seriesOf(source)).count++;
  }

  /** Every series: `_other` once it counted something, `_unknown` from zero on, so that its first call is seen. */
  *[Symbol.iterator](): Iterator<SourceCount> {
    yield* this.#named.ip.values();
    yield* this.#named.header.values();
    for (const other of [this.#others.ip, this.#others.header]) if (other.count > 0) yield other;
    yield this.#unknown;
  }

  #seriesOf({ service, by }: SourceIdentity): SourceCount {
    if (!SERVICE_NAME.test(service)) return this.#unknown;
    const named = this.#named[by];
    if (named.size >= this.maxSources) return this.#others[by];
    const added = series(service, by);
    named.set(service, added);
    return added;
  }
}

function series(source: string, by: string): SourceCount {
  return { labels: { source, by }, count: 0 };
}
