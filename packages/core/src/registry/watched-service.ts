import type { Ports } from '../ports/ports.js';
import type { Logger } from '../telemetry/logger.js';
import { atOnce, inSlices, ITEMS_PER_SLICE } from '../slices/slices.js';
import type { ServiceDiscovery, ServiceSnapshot } from './contracts.js';
import type { DirectoryOptions } from './directory-options.js';
import type { ServicePlan } from './service-plan.js';
import { keepWatching } from './watch-loop.js';

/** A service that is being watched, and the plan that its snapshots go into. */
export class WatchedService {
  /**
   * Resolves with the first snapshot, or when that was waited for long enough, or when the watch was given up. One promise and one
   * timer serve all calls that wait; who comes after that does not wait at all.
   */
  readonly firstAnswer: Promise<void>;
  readonly #end = new AbortController();
  #stopWaiting!: () => void;

  /** @param onState called after each snapshot */
  constructor(
    readonly plan: ServicePlan,
    private readonly discovery: ServiceDiscovery,
    private readonly ports: Ports,
    private readonly options: DirectoryOptions,
    private readonly logger: Logger,
    private readonly onState: (watched: WatchedService) => void,
  ) {
    this.firstAnswer = new Promise((resolve) => {
      const timer = ports.timers.after(options.firstAnswerTimeout, resolve);
      this.#stopWaiting = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  start(): void {
    const { service } = this.plan;
    void keepWatching(
      {
        subject: service,
        registry: this.discovery.name,
        signal: this.#end.signal,
        watch: (signal) => this.discovery.watch({ service }, signal),
        take: (snapshot) => this.#take(snapshot),
      },
      this.ports,
      this.options,
      this.logger,
    );
  }

  /** A large one in slices, between which calls go on with what is known. */
  #take(snapshot: ServiceSnapshot): void | Promise<void> {
    const steps = this.plan.applying(snapshot, this.ports.clock.now());
    if (snapshot.instances.length > ITEMS_PER_SLICE) return inSlices(steps).then(() => this.#taken());
    atOnce(steps);
    this.#taken();
  }

  #taken(): void {
    if (this.#end.signal.aborted) {
      // It was given up meanwhile, and with it the endpoints of before.
      this.plan.retireAll();
      return;
    }
    this.#stopWaiting();
    this.onState(this);
  }

  /** Ends the watch and the waiting for it. */
  stop(): void {
    this.#end.abort();
    this.#stopWaiting();
  }
}
