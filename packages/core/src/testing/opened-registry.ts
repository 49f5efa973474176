import { rm } from 'node:fs/promises';
import type { Lease, Registrator, ServiceDiscovery, ServiceSnapshot } from '../registry/contracts.js';
import { makeInstance, type Instance } from '../registry/instance.js';
import type { RecordingLogger } from './recording-logger.js';

/** A registry with both halves. */
interface BothHalves {
  readonly discovery: ServiceDiscovery;
  readonly registrator: Registrator;
}

/** A registry that a test has made of a configuration, for the service `caller` of the application `shop`. */
export class OpenedRegistry<R extends BothHalves> {
  readonly #abort = new AbortController();

  /** @param confDir folder of the configuration; removed by {@link close} */
  constructor(
    readonly registry: R,
    readonly logger: RecordingLogger,
    private readonly confDir: string,
  ) {}

  /** Aborts at {@link close}. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Registers an instance at `127.0.0.1:port`. */
  register(facts: Partial<Instance> = {}, port = 8080): Promise<Lease> {
    const addresses = new Map([['rest', { host: '127.0.0.1', port, tls: false }]]);
    const self = { service: 'caller', app: 'shop', version: '1.0.0', instanceId: '', addresses, ...facts };
    return this.registry.registrator.register(makeInstance(self), this.signal);
  }

  watch(service: string): Snapshots {
    return new Snapshots(this.registry.discovery.watch({ service }, this.signal));
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.registry.discovery.close();
    await rm(this.confDir, { recursive: true, force: true });
  }
}

/** The snapshots of one watch. */
export class Snapshots {
  readonly #iterator: AsyncIterator<ServiceSnapshot>;

  constructor(source: AsyncIterable<ServiceSnapshot>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** @throws Error when there is none any more */
  async next(): Promise<ServiceSnapshot> {
    const { value, done } = await this.#iterator.next();
    if (done === true) throw new Error('the watch has ended');
    return value;
  }

  /** The next one that fits. */
  async until(fits: (snapshot: ServiceSnapshot) => boolean): Promise<ServiceSnapshot> {
    for (;;) {
      const snapshot = await this.next();
      if (fits(snapshot)) return snapshot;
    }
  }

  async end(): Promise<void> {
    await this.#iterator.return?.();
  }
}
