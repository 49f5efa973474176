import type { Lease, Registrator } from '../registry/contracts.js';
import type { Instance, InstanceStatus } from '../registry/instance.js';

/** A registration that a {@link ScriptedRegistrator} was asked for. */
export class ScriptedRegistration implements Lease {
  readonly statuses: InstanceStatus[] = [];
  isReleased = false;
  /** Lets {@link release} hang, like a registry that does not answer. */
  holdsRelease = false;
  /** Lets {@link release} reject. */
  releaseError: Error | undefined;
  readonly granted: Promise<Lease>;
  #settle!: { readonly resolve: (lease: Lease) => void; readonly reject: (error: Error) => void };

  constructor(
    readonly self: Instance,
    readonly signal: AbortSignal,
  ) {
    this.granted = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  /** The instance is registered. */
  grant(): void {
    this.#settle.resolve(this);
  }

  /** The registry refuses for good. */
  refuse(error: Error): void {
    this.#settle.reject(error);
  }

  setStatus(status: InstanceStatus): Promise<void> {
    this.statuses.push(status);
    return Promise.resolve();
  }

  release(): Promise<void> {
    if (this.releaseError !== undefined) return Promise.reject(this.releaseError);
    this.isReleased = true;
    return this.holdsRelease ? new Promise(() => {}) : Promise.resolve();
  }
}

export interface RegistratorBehaviour {
  /** Grants at once instead of waiting for the test; default true. */
  readonly grants?: boolean;
  /** Rejects with the reason of the signal when that aborts, as the contract says; default true. */
  readonly heedsSignal?: boolean;
}

/** A registrator that grants, refuses or stays silent as a test says. */
export class ScriptedRegistrator implements Registrator {
  readonly name = 'scripted';
  /** What was asked for, in order. */
  readonly registrations: ScriptedRegistration[] = [];

  constructor(private readonly behaviour: RegistratorBehaviour = {}) {}

  /** The latest registration. */
  get last(): ScriptedRegistration {
    const last = this.registrations.at(-1);
    if (last === undefined) throw new Error('nothing was registered');
    return last;
  }

  register(self: Instance, signal: AbortSignal): Promise<Lease> {
    const registration = new ScriptedRegistration(self, signal);
    this.registrations.push(registration);
    if (this.behaviour.grants ?? true) registration.grant();
    if (this.behaviour.heedsSignal ?? true) {
      signal.addEventListener('abort', () => registration.refuse(signal.reason as Error), { once: true });
    }
    return registration.granted;
  }
}
