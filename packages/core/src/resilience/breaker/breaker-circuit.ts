import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type CircuitBreaker from 'opossum';

/** Told when the state machine changed; always in the turn in which the round of probes ended. */
export interface CircuitListener {
  circuitClosed(): void;
  circuitReopened(): void;
}

/**
 * The end of a round of probes, as the state machine waits for it. It behaves like a promise, but tells in the same turn: a call
 * that comes in between must not be decided about by a state that is over.
 */
class Verdict {
  #onPassed: (() => void) | undefined;
  #onFailed: ((reason: Error) => void) | undefined;

  then(onPassed: () => void): { catch(onFailed: (reason: Error) => void): void } {
    this.#onPassed = onPassed;
    return {
      catch: (onFailed) => {
        this.#onFailed = onFailed;
      },
    };
  }

  settle(passed: boolean): void {
    if (passed) this.#onPassed?.();
    else this.#onFailed?.(PROBES_FAILED);
  }
}

/** One for all: nobody sees it, and a stack per failed round would be wasted. */
const PROBES_FAILED = new Error('too many probes failed');

/**
 * Loads opossum, at the first call: it takes about 1 MB and 3 ms, which only those pay that have breakers. To be called ahead of
 * the first one that trips, for then everybody waits.
 */
export function loadCircuits(): typeof CircuitBreaker {
  return createRequire(import.meta.url)('opossum') as typeof CircuitBreaker;
}

/**
 * What of opossum is switched off. Its `capacity` and `errorFilter` are not used either: what the one rejects counts as a failure,
 * and what the other passes as a success; both are decided before a round hears of a call.
 */
const OPTIONS = {
  // It would end the wait for a probe, not the probe; places have leases instead, so a round always ends or goes on.
  timeout: false,
  // Milliseconds of event loop, and timers, for numbers that nobody reads.
  rollingPercentilesEnabled: false,
  enableSnapshots: false,
  rollingCountBuckets: 1,
  name: 'mesher',
} as const;

/**
 * The state machine of a breaker that tripped: opossum's, which opens, lets probes through with `fire`, and closes or opens again.
 * It exists only while the breaker is not closed. It has no timer: the end of the sleep window is told by {@link probe}, so that it
 * can have jitter and an injected clock.
 */
export class BreakerCircuit {
  #circuit: CircuitBreaker<[], void>;
  #round: Verdict | undefined;

  constructor(private readonly listener: CircuitListener) {
    this.#circuit = this.#make('closed');
    this.#circuit.open();
  }

  get state(): 'closed' | 'open' | 'half-open' {
    const { opened, halfOpen } = this.#circuit;
    return opened ? 'open' : halfOpen ? 'half-open' : 'closed';
  }

  /** The sleep window is over: half-open, with a round of probes under way until {@link end}. */
  probe(): void {
    this.shutdown();
    // opossum goes half-open by its own timer only; but it can be made in any state, which is how it comes back after a restart.
    this.#circuit = this.#make('half-open');
    this.#round = new Verdict();
    // The round is one call to opossum, which knows one probe: so many calls as we like may stand behind it. Its rejection says what the
    // listener has heard by then.
    this.#circuit.fire().catch(() => undefined);
  }

  /** The round of probes is over: closed, or open again. */
  end(passed: boolean): void {
    const round = this.#round;
    this.#round = undefined;
    round?.settle(passed);
  }

  /** Forgets everything; the listener hears nothing any more. */
  shutdown(): void {
    this.#round = undefined;
    this.#circuit.shutdown();
  }

  #make(state: 'closed' | 'half-open'): CircuitBreaker<[], void> {
    const Circuit = loadCircuits();
    const circuit = new Circuit<[], void>(
      // opossum calls `then(...)` and `.catch(...)` on what comes back, nothing else; see Verdict.
      () => this.#round as unknown as Promise<void>,
      {
        ...OPTIONS,
        // Its own buckets are never read: with an emitter that is silent it starts no timer to rotate them.
        rotateBucketController: new EventEmitter(),
        state: { enabled: true, closed: state === 'closed', halfOpen: state === 'half-open' },
      } as CircuitBreaker.Options<[]>,
    );
    // The listener that is removed would start opossum's timer.
    circuit.removeAllListeners('open');
    if (state === 'half-open') {
      circuit.on('open', () => this.listener.circuitReopened());
      circuit.on('close', () => this.listener.circuitClosed());
    }
    return circuit;
  }
}
