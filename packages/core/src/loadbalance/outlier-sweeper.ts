import type { Ports, TimerHandle } from '../ports/ports.js';
import type { OutlierDetector } from './outlier.js';

/** One timer for the detectors of all services; none while there are no detectors. */
export class OutlierSweeper {
  readonly #detectors = new Set<OutlierDetector>();
  #timer: TimerHandle | undefined;
  #periodMs = Infinity;
  #isClosed = false;

  constructor(private readonly ports: Ports) {}

  add(detector: OutlierDetector): void {
    // A call that ends after its chassis was closed must not start the timer again.
    if (this.#isClosed) return;
    this.#detectors.add(detector);
    if (detector.rules.intervalMs < this.#periodMs) this.#restart();
  }

  remove(detector: OutlierDetector): void {
    if (this.#detectors.delete(detector) && detector.rules.intervalMs <= this.#periodMs) this.#restart();
  }

  /** Ends the timer for good: no detector is left. */
  close(): void {
    this.#isClosed = true;
    this.#detectors.clear();
    this.#restart();
  }

  #restart(): void {
    let period = Infinity;
    for (const { rules } of this.#detectors) period = Math.min(period, rules.intervalMs);
    if (period === this.#periodMs) return;
    this.#timer?.cancel();
    this.#periodMs = period;
    this.#timer = period === Infinity ? undefined : this.ports.timers.every(period, () => this.#sweep());
  }

  #sweep(): void {
    const now = this.ports.clock.now();
    // A timer may go off a little earlier than it is by the clock: who is due by half a period is not left until the next one.
    const soon = now + this.#periodMs / 2;
    for (const detector of this.#detectors) if (soon > detector.sweepAt) detector.sweep(now);
  }
}
