import { schemaDefaults, systemPorts, type ConfigSource, type SourceSnapshot } from '@mesher/core';
import { RecordingLogger } from '@mesher/core/testing';
import { consulSource } from '../plugin.js';
import { consulConfigSchema, type ConsulConfigSettings } from '../settings.js';

export interface SourceRigSettings {
  readonly address: string;
  /** As when nobody says, when left out. */
  readonly watches?: boolean;
  readonly refreshIntervalMs?: number;
  readonly settings?: Partial<ConsulConfigSettings>;
  readonly environment?: string;
}

/** The default places of the service below. */
export const APP = 'mesher/shop/application/';
export const SERVICE = 'mesher/shop/services/orders/';

/** The source that the plugin makes for the service `orders` of the application `shop`, and one watch on it. */
export class SourceRig {
  readonly #abort = new AbortController();
  #iterator: AsyncIterator<SourceSnapshot> | undefined;

  private constructor(
    readonly source: ConfigSource,
    readonly logger: RecordingLogger,
  ) {}

  static async open(rig: SourceRigSettings): Promise<SourceRig> {
    const logger = new RecordingLogger();
    const source = await consulSource.create(
      { ...schemaDefaults(consulConfigSchema), minInterval: 1, ...rig.settings },
      {
        ports: systemPorts(),
        logger,
        confDir: '.',
        ipIndex: { byIp: () => undefined, byAddress: () => undefined },
        registryAddresses: [],
        configClient: {
          addresses: [rig.address],
          watches: rig.watches,
          refreshIntervalMs: rig.refreshIntervalMs ?? 30_000,
          service: { name: 'orders', app: 'shop', version: '1.0.0', environment: rig.environment ?? '' },
        },
      },
    );
    return new SourceRig(source, logger);
  }

  /** The next content. @throws what the watch ends with; the one after begins anew */
  async snapshot(): Promise<SourceSnapshot> {
    this.#iterator ??= this.source.watch(this.#abort.signal)[Symbol.asyncIterator]();
    try {
      const { value, done } = await this.#iterator.next();
      if (done === true) throw new Error('the watch has ended');
      return value;
    } catch (error) {
      this.#iterator = undefined;
      throw error;
    }
  }

  /** Its entries, from those that lose to those that win. */
  async next(): Promise<readonly (readonly [string, string])[]> {
    return [...(await this.snapshot()).entries];
  }

  /** Ends the watch; resolves once it has ended. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#iterator?.return?.();
  }
}
