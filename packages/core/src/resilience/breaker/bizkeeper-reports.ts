import type { Direction } from '../../invocation.js';
import type { Clock } from '../../ports/ports.js';
import type { Logger } from '../../telemetry/logger.js';
import type { MeshEventKind, MeshEvents } from '../../telemetry/mesh-events.js';
import type { LabelledCounter, PolicyMetrics } from '../../telemetry/policy-metrics.js';
import type { Breaker, BreakerObserver, BreakerState } from './breaker.js';
import type { Bulkhead, BulkheadObserver, BulkheadRefusal } from '../bulkhead/bulkhead.js';

/** Milliseconds between two events of one full bulkhead: it refuses as fast as calls come. */
const FULL_EVENT_PAUSE_MS = 10_000;
/** Breakers that ever tripped and are shown; beyond that those that are closed again are left out first. */
const MAX_SHOWN_BREAKERS = 500;
/** Milliseconds without a call after which a breaker is no longer shown: its service may not even exist any more. */
const SHOWN_IDLE_MS = 3_600_000;
/** Bulkheads that are shown; one per service and direction, and as many services have metrics of their own. */
const MAX_SHOWN_BULKHEADS = 500;

const STATE_VALUES: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

const EVENT_KINDS: Readonly<Record<BreakerState, MeshEventKind>> = {
  closed: 'breaker-closed',
  'half-open': 'breaker-half-open',
  open: 'breaker-opened',
};

/** Everything that observers of breakers and bulkheads need. */
export interface ReportContext {
  readonly direction: Direction;
  readonly clock: Clock;
  readonly events: MeshEvents;
  readonly metrics: PolicyMetrics;
  readonly logger: Logger;
}

/** Events and metrics of the breakers and bulkheads of one direction; their number is bounded, whatever callers ask for. */
export class BizkeeperReports implements BreakerObserver, BulkheadObserver {
  readonly #tripped = new Set<Breaker>();
  readonly #bulkheads = new Map<string, WeakRef<Bulkhead>>();
  readonly #fullSince = new WeakMap<Bulkhead, { at: number; refused: number }>();
  readonly #transitions: LabelledCounter;
  readonly #breakerRefusals: LabelledCounter;
  readonly #bulkheadRefusals: LabelledCounter;

  constructor(private readonly context: ReportContext) {
    const { metrics, direction } = context;
    this.#transitions = metrics.counter('breakerTransitions');
    this.#breakerRefusals = metrics.counter('breakerRejections');
    this.#bulkheadRefusals = metrics.counter('bulkheadRejections');
    metrics.gauge('breakerState', (report) => {
      this.#forgetIdle();
      for (const { name, state } of this.#tripped) report([direction, name.service, name.part], STATE_VALUES[state]);
    });
    metrics.gauge('bulkheadInUse', (report) => this.#each((b) => report([direction, b.name], b.inUse)));
    metrics.gauge('bulkheadQueue', (report) => this.#each((b) => report([direction, b.name], b.queued)));
    metrics.gauge('concurrencyLimit', (report) => {
      this.#each((bulkhead) => {
        if (bulkhead.limit !== Infinity) report([direction, bulkhead.name], bulkhead.limit);
      });
    });
  }

  changed(breaker: Breaker, to: BreakerState): void {
    const { direction, events, logger } = this.context;
    const { service, part } = breaker.name;
    this.#show(breaker);
    this.#transitions.add([direction, service, part, to]);
    const who = part === '' ? service : `${service} (${part})`;
    const text = `The circuit breaker of ${who} is ${to === 'closed' ? 'closed again' : breaker.describe()}`;
    events.emit(EVENT_KINDS[to], service, text, { direction, name: part, ...breaker.counts });
    const log = to === 'open' ? logger.warn : logger.info;
    log.call(logger, { direction, service, name: part, state: to }, text);
  }

  /** A breaker refused a call. @param part what of the service it stands for; empty for all of it */
  refusedCall(service: string, part: string): void {
    this.#breakerRefusals.add([this.context.direction, service, part]);
  }

  refused(bulkhead: Bulkhead, reason: BulkheadRefusal): void {
    const { direction, clock, events } = this.context;
    this.#bulkheadRefusals.add([direction, bulkhead.name, reason]);
    const now = clock.now();
    const full = this.#fullSince.get(bulkhead);
    if (full !== undefined && now - full.at < FULL_EVENT_PAUSE_MS) {
      full.refused++;
      return;
    }
    const since =
      full === undefined || full.refused === 0 ? '' : `; ${full.refused} more were refused since the last time`;
    this.#fullSince.set(bulkhead, { at: now, refused: 0 });
    events.emit(
      'bulkhead-full',
      bulkhead.name,
      `A call of ${bulkhead.name} was refused: ${bulkhead.describe()}${since}`,
      {
        direction,
        inUse: bulkhead.inUse,
        limit: bulkhead.limit === Infinity ? undefined : bulkhead.limit,
      },
    );
  }

  /** The bulkhead is shown for as long as anybody uses it. */
  show(bulkhead: Bulkhead): void {
    if (this.#bulkheads.size >= MAX_SHOWN_BULKHEADS) this.#each(() => undefined);
    if (this.#bulkheads.size < MAX_SHOWN_BULKHEADS) this.#bulkheads.set(bulkhead.name, new WeakRef(bulkhead));
  }

  /** The breaker is not used any more. */
  forget(breaker: Breaker): void {
    this.#tripped.delete(breaker);
    breaker.dispose();
  }

  #show(breaker: Breaker): void {
    if (this.#tripped.has(breaker)) return;
    if (this.#tripped.size >= MAX_SHOWN_BREAKERS) {
      for (const other of this.#tripped) if (other.state === 'closed') this.#tripped.delete(other);
    }
    if (this.#tripped.size < MAX_SHOWN_BREAKERS) this.#tripped.add(breaker);
  }

  #forgetIdle(): void {
    const before = this.context.clock.now() - SHOWN_IDLE_MS;
    for (const breaker of this.#tripped) if (breaker.lastUsedAt < before) this.#tripped.delete(breaker);
  }

  #each(read: (bulkhead: Bulkhead) => void): void {
    for (const [name, ref] of this.#bulkheads) {
      const bulkhead = ref.deref();
      if (bulkhead === undefined) this.#bulkheads.delete(name);
      else read(bulkhead);
    }
  }
}
