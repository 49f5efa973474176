import { Rejection } from '../../errors.js';
import type { Clock, Ports } from '../../ports/ports.js';
import { BreakerCircuit, type CircuitListener } from './breaker-circuit.js';
import type { Judgement } from './breaker-outcomes.js';
import { ProbeRound, type Probe } from './breaker-probes.js';
import { makeWindow, sameWindow, type BreakerSettings } from './breaker-settings.js';
import type { BreakerWindow, WindowCounts } from './breaker-window.js';

/** What a breaker stands for, in messages and metrics. */
export interface BreakerName {
  readonly service: string;
  /** `GET /users/{id}`, `10.0.0.7:80`, a policy by mark; empty for the whole service. */
  readonly part: string;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/** Told of each change, after it. */
export interface BreakerObserver {
  changed(breaker: Breaker, to: BreakerState): void;
}

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly circuit: BreakerCircuit; readonly until: number; readonly cause: WindowCounts }
  | { readonly kind: 'half-open'; readonly circuit: BreakerCircuit; readonly round: ProbeRound };

const CLOSED: State = { kind: 'closed' };

/** Seconds after which a caller may ask again that found all places of probes taken: a probe takes about that long. */
const HALF_OPEN_RETRY_SECONDS = 1;

/**
 * A circuit breaker. While it is closed, which is nearly always, a call costs one comparison and its end one count in a rolling
 * window. Once the window trips, opossum's state machine exists until the breaker is closed again. Nothing here has a timer: what
 * is due is done when the next call comes.
 */
export class Breaker implements CircuitListener {
  /** Monotonic milliseconds at which a call last ended or was refused. */
  lastUsedAt = 0;
  #state: State = CLOSED;
  #window: BreakerWindow;
  /** Calls that began earlier say nothing any more. */
  #closedAt = -Infinity;
  #refusal: Rejection | undefined;

  constructor(
    readonly name: BreakerName,
    private settings: BreakerSettings,
    private readonly ports: Pick<Ports, 'clock' | 'random'>,
    private readonly observer: BreakerObserver,
  ) {
    this.#window = makeWindow(settings.window);
  }

  get state(): BreakerState {
    return this.#state.kind;
  }

  get isClosed(): boolean {
    return this.#state === CLOSED;
  }

  /** Takes other settings; the state and, if the window keeps its shape, what was counted stay. */
  adopt(settings: BreakerSettings): void {
    if (!sameWindow(settings.window, this.settings.window)) this.#window = makeWindow(settings.window);
    this.settings = settings;
    this.#refusal = undefined;
  }

  /**
   * Decides about a call that begins.
   * @returns undefined to let it pass, a {@link Probe} to let it pass and report its end to {@link endProbe}, or why it must not
   */
  admit(clock: Clock): Probe | Rejection | undefined {
    if (this.#state === CLOSED || this.settings.forceClosed) return undefined;
    return this.#admitProbe(clock.now());
  }

  /**
   * Counts the end of a call that was let pass without being a probe.
   * @param startedAt monotonic milliseconds at which it began
   * @param waitMs what counts for slow calls: the time until the answer, if it is another; 0 when that says nothing
   */
  record(judgement: Judgement, startedAt: number, durationMs: number, waitMs: number = durationMs): void {
    if (judgement === 'neither' || this.#state !== CLOSED || startedAt < this.#closedAt) return;
    const endedAt = startedAt + durationMs;
    const { slowMs, forceClosed } = this.settings;
    const failed = judgement === 'failure';
    const slow = waitMs > slowMs;
    const window = this.#window;
    window.count(failed, slow, endedAt);
    if (endedAt > this.lastUsedAt) this.lastUsedAt = endedAt;
    if ((failed || slow) && !forceClosed && this.#isTripped(window)) this.#trip();
  }

  /** Counts the end of a probe; one that is slow has failed. */
  endProbe(probe: Probe, judgement: Judgement, durationMs: number): void {
    const state = this.#state;
    if (state.kind !== 'half-open' || state.round !== probe.round) return;
    const isSlow = judgement === 'success' && durationMs > this.settings.slowMs;
    const passed = state.round.end(probe, isSlow ? 'failure' : judgement);
    if (passed !== undefined) state.circuit.end(passed);
  }

  /** Whether {@link admit} would let a call pass, without letting it: for `explain`. */
  get wouldPass(): boolean {
    const state = this.#state;
    if (state.kind === 'closed' || this.settings.forceClosed) return true;
    if (state.kind === 'open') return this.ports.clock.now() >= state.until;
    return state.round.hasRoom(this.ports.clock.now());
  }

  /** What {@link admit} would answer to a call that it does not let pass, without deciding about any: for `explain`. */
  get refusal(): Rejection | undefined {
    if (this.wouldPass) return undefined;
    return this.#refuse(this.#state.kind === 'open' ? this.opensProbesIn : undefined);
  }

  /** What was counted in the present window, or what opened the breaker. */
  get counts(): WindowCounts {
    const state = this.#state;
    if (state.kind === 'open') return state.cause;
    if (state.kind === 'half-open') {
      const { successes, failures } = state.round;
      return { calls: successes + failures, failures, slow: 0 };
    }
    this.#window.rotate(this.ports.clock.now());
    const { calls, failures, slow } = this.#window;
    return { calls, failures, slow };
  }

  /** Milliseconds until probes are let through; 0 when it is not open. */
  get opensProbesIn(): number {
    const state = this.#state;
    return state.kind === 'open' ? Math.max(0, state.until - this.ports.clock.now()) : 0;
  }

  /** To be called when the breaker is no longer needed: what is still under way cannot open it any more. */
  dispose(): void {
    this.#leaveCircuit();
    this.#closedAt = Infinity;
  }

  /** In one line: the state and why. */
  describe(): string {
    const { calls, failures, slow } = this.counts;
    const counted = `${failures} of ${calls} calls failed${slow > 0 ? `, ${slow} were slow` : ''}`;
    const state = this.#state;
    if (state.kind === 'open') return `open: ${counted}; probes in ${seconds(this.opensProbesIn)} s`;
    if (state.kind === 'half-open') {
      const { successes, failures: failed, underWay, limits } = state.round;
      return `half-open: ${successes} of ${limits.successes} needed probes succeeded, ${failed} failed, ${underWay} of ${limits.probes} places are taken`;
    }
    return `closed: ${counted}`;
  }

  circuitClosed(): void {
    this.#leaveCircuit();
    this.#window.clear();
    this.#closedAt = this.ports.clock.now();
    this.#refusal = undefined;
    this.observer.changed(this, 'closed');
  }

  circuitReopened(): void {
    const state = this.#state;
    if (state.kind === 'half-open') this.#open(state.circuit, this.counts);
  }

  #leaveCircuit(): void {
    if (this.#state.kind !== 'closed') this.#state.circuit.shutdown();
    this.#state = CLOSED;
  }

  #admitProbe(now: number): Probe | Rejection | undefined {
    this.lastUsedAt = now;
    let state = this.#state;
    if (state.kind === 'open') {
      if (now < state.until) return this.#refuse(state.until - now);
      const { circuit } = state;
      circuit.probe();
      state = { kind: 'half-open', circuit, round: new ProbeRound(this.settings) };
      this.#state = state;
      this.#refusal = undefined;
      this.observer.changed(this, 'half-open');
    }
    if (state.kind === 'closed') return undefined;
    if (state.round.settle(now)) {
      state.circuit.end(true);
      if (this.isClosed) return undefined;
    }
    return state.round.take(now) ?? this.#refuse(undefined);
  }

  #isTripped({ calls, failures, slow }: WindowCounts): boolean {
    const { minCalls, failurePercentage, slowPercentage, slowMs } = this.settings;
    if (calls < minCalls) return false;
    if (failures > 0 && Math.round((100 * failures) / calls) >= failurePercentage) return true;
    return slowMs !== Infinity && slow > 0 && Math.round((100 * slow) / calls) >= slowPercentage;
  }

  #trip(): void {
    const { calls, failures, slow } = this.#window;
    this.#open(new BreakerCircuit(this), { calls, failures, slow });
  }

  #open(circuit: BreakerCircuit, cause: WindowCounts): void {
    const { sleepMs, jitter } = this.settings;
    const until = this.ports.clock.now() + sleepMs * (1 + jitter * this.ports.random.next());
    this.#state = { kind: 'open', circuit, until, cause };
    this.#refusal = undefined;
    this.observer.changed(this, 'open');
  }

  /** One rejection per second: an open breaker answers as fast as calls come. */
  #refuse(restMs: number | undefined): Rejection {
    const retryAfter = restMs === undefined ? HALF_OPEN_RETRY_SECONDS : Math.max(1, Math.ceil(restMs / 1000));
    if (this.#refusal?.retryAfterSeconds === retryAfter) return this.#refusal;
    const { service, part } = this.name;
    const { calls, failures, slow } = this.counts;
    const who = part === '' ? service : `${service} (${part})`;
    const share = calls === 0 ? 0 : Math.round((100 * failures) / calls);
    const text =
      restMs === undefined
        ? `The circuit breaker of ${who} is half-open, and all its probes are under way`
        : `The circuit breaker of ${who} is open: ${failures} of ${calls} calls failed (${share} %)${slow > 0 ? `, ${slow} were slow` : ''}; the next probe is in ${retryAfter} s`;
    this.#refusal = new Rejection('MESH_ERR_BREAKER_OPEN', text, retryAfter);
    return this.#refusal;
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
