import { MeshError } from '../errors.js';
import { within } from '../ports/within.js';
import type { Ports } from '../ports/ports.js';
import type { Logger } from '../telemetry/logger.js';
import type { Lease, Registrator } from './contracts.js';
import type { Instance } from './instance.js';
import { DEFAULT_REGISTRATION_OPTIONS, type RegistrationOptions } from './registration-options.js';

type Stage =
  | { readonly name: 'out' }
  | { readonly name: 'in'; readonly lease: Promise<Lease>; readonly giveUp: AbortController }
  | { readonly name: 'leaving'; readonly left: Promise<void> };

const OUT: Stage = { name: 'out' };

/** The registration of the local instance, from the moment at which it is asked for to the one at which it is gone. */
export class Registration {
  #stage: Stage = OUT;

  constructor(
    private readonly registrator: Registrator,
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly options: RegistrationOptions = DEFAULT_REGISTRATION_OPTIONS,
  ) {}

  /**
   * Registers. Resolves when others can see the instance; while the registry does not answer, not before {@link leave}.
   * @throws MeshError MESH_ERR_REGISTERED at once when there is a registration already; as a rejection, whatever the registry refuses with
   */
  register(self: Instance): Promise<Lease> {
    if (this.#stage.name !== 'out') {
      throw new MeshError('MESH_ERR_REGISTERED', 'this chassis has registered its instance already; leave first');
    }
    const giveUp = new AbortController();
    // A registrator that throws instead of rejecting is no reason to be in no stage at all.
    const lease = (async () => await this.registrator.register(self, giveUp.signal))();
    const stage: Stage = { name: 'in', lease, giveUp };
    this.#stage = stage;
    lease.catch(() => {
      if (this.#stage === stage) this.#stage = OUT;
    });
    return lease;
  }

  /**
   * Gives up a registration that is still under way, or releases the lease. Resolves when others can no longer see the instance, or
   * after `leaveTimeout`; what the registry answers later is released still. Idempotent; never rejects.
   */
  leave(): Promise<void> {
    const stage = this.#stage;
    if (stage.name === 'out') return Promise.resolve();
    if (stage.name === 'leaving') return stage.left;
    stage.giveUp.abort();
    const released = stage.lease.then(
      (lease) =>
        lease.release().catch((error: unknown) => {
          this.logger.warn({ error }, 'leaving the registry failed; the lease will run out');
        }),
      () => {
        // It was given up before the instance was there.
      },
    );
    const left = within(this.ports.timers, this.options.leaveTimeout, released).then((inTime) => {
      if (!inTime) this.logger.warn({}, 'the registry did not answer while leaving; the lease will run out');
      this.#stage = OUT;
    });
    this.#stage = { name: 'leaving', left };
    return left;
  }
}
