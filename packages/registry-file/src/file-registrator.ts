import { join } from 'node:path';
import { MeshError, type Instance, type Lease, type Logger, type Ports, type Registrator } from '@mesher/core';
import type { FileAccess } from './files/file-access.js';
import type { FileRegistrySettings } from './options.js';
import {
  formatRegistration,
  MAX_REGISTRATION_BYTES,
  registrationNames,
  REGISTRATIONS_FOLDER,
} from './registrations/registration-file.js';
import { Registration } from './registrations/registration.js';
import { Sweep } from './registrations/sweep.js';
import { isServiceName } from './service-name.js';

/** Registers instances as files below `.instances`, and sweeps away what dead processes left there. */
export class FileRegistrator implements Registrator {
  readonly name = 'file';
  readonly #top: string;
  readonly #active = new Map<string, Registration>();
  #sweep: Sweep | undefined;
  #closed = false;

  /** @param processId unlike that of any other process; serves as instanceId where none is given */
  constructor(
    root: string,
    private readonly processId: string,
    private readonly files: FileAccess,
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly settings: FileRegistrySettings,
  ) {
    this.#top = join(root, REGISTRATIONS_FOLDER);
  }

  /** What keeps registrations from being in place. */
  get problems(): string[] {
    return [...this.#active.values()].flatMap(({ problem }) => problem ?? []);
  }

  /**
   * Resolves when the file is in place. While it cannot be written it is tried again, with growing jittered pauses, until
   * `signal` aborts; afterwards the signal has no effect and the lease is ended by its `release`.
   * @throws MeshError `FILE_REGISTRY_NAME` when service or instanceId cannot be file names or the instance is too large,
   * `FILE_REGISTRY_DUPLICATE` when this registry holds a lease for the same instance, `FILE_REGISTRY_CLOSED`; the reason of
   * `signal` when it aborts
   */
  async register(self: Instance, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    if (this.#closed) throw new MeshError('FILE_REGISTRY_CLOSED', 'the file registry is closed');
    const instance = self.instanceId === '' ? { ...self, instanceId: this.processId } : self;
    const place = { path: this.#pathOf(instance), leaseMs: this.settings.leaseMs, owner: this.processId };
    if (this.#active.has(place.path)) {
      throw new MeshError(
        'FILE_REGISTRY_DUPLICATE',
        `${instance.service} is registered as ${instance.instanceId} already: release that lease first`,
      );
    }
    if (formatRegistration({ instance, ...place }).length * 2 > MAX_REGISTRATION_BYTES) {
      throw new MeshError(
        'FILE_REGISTRY_NAME',
        `${instance.service}: endpoints and metadata are too large to register`,
      );
    }
    const registration = new Registration(instance, place, this.files, this.ports, this.logger, () =>
      this.#forget(place.path),
    );
    this.#active.set(place.path, registration);
    this.#sweep ??= this.#startSweep();
    const giveUp = (): void => void registration.release();
    signal.addEventListener('abort', giveUp, { once: true });
    await registration.start();
    signal.removeEventListener('abort', giveUp);
    signal.throwIfAborted();
    return registration;
  }

  /** Releases every lease. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#active.values()].map((registration) => registration.release()));
    await this.#sweep?.stop();
  }

  #pathOf({ service, instanceId }: Instance): string {
    const names = registrationNames(service, instanceId);
    if (names === undefined || !isServiceName(service)) {
      throw new MeshError(
        'FILE_REGISTRY_NAME',
        `${JSON.stringify(service)} as ${JSON.stringify(instanceId)} cannot be registered: use letters, digits and . _ - in ` +
          'the service name, up to 128 of them',
      );
    }
    return join(this.#top, names.folder, names.file);
  }

  #forget(path: string): void {
    this.#active.delete(path);
    if (this.#active.size > 0) return;
    void this.#sweep?.stop();
    this.#sweep = undefined;
  }

  #startSweep(): Sweep {
    const sweep = new Sweep(this.#top, this.settings.leaseMs, this.files, this.ports, this.logger);
    sweep.start();
    return sweep;
  }
}
