import { kieSource } from '../plugin.js';
import { schemaDefaults, systemPorts, type ConfigSource, type Ports, type SourceSnapshot } from '@mesher/core';
import { RecordingLogger } from '@mesher/core/testing';
import { kieSchema, type KieSettings } from '../settings.js';

export interface SourceRigSettings {
  readonly addresses: readonly string[];
  readonly watches?: boolean;
  readonly refreshIntervalMs?: number;
  readonly settings?: Partial<KieSettings>;
  readonly environment?: string;
  readonly confDir?: string;
  readonly version?: string;
  readonly ports?: Ports;
}

export const APP = { app: 'shop', environment: '' } as const;
export const SERVICE = { ...APP, service: 'orders' } as const;
export const VERSION = { ...SERVICE, version: '1.0.0' } as const;

/** The source that the plugin makes for the service `orders` of the application `shop`, and one watch on it. */
export class SourceRig {
  readonly #abort = new AbortController();
  #iterator: AsyncIterator<SourceSnapshot> | undefined;
  #revision: string | undefined;

  private constructor(
    readonly source: ConfigSource,
    readonly logger: RecordingLogger,
  ) {}

  static async open(rig: SourceRigSettings): Promise<SourceRig> {
    const logger = new RecordingLogger();
    const source = await kieSource.create(
      { ...schemaDefaults(kieSchema), minInterval: 1, confirmAfter: 5, ...rig.settings },
      {
        ports: rig.ports ?? systemPorts(),
        logger,
        confDir: rig.confDir ?? '.',
        ipIndex: { byIp: () => undefined, byAddress: () => undefined },
        registryAddresses: [],
        configClient: {
          addresses: rig.addresses,
          watches: rig.watches ?? true,
          refreshIntervalMs: rig.refreshIntervalMs ?? 30_000,
          service: { name: 'orders', app: 'shop', version: rig.version ?? '1.0.0', environment: rig.environment ?? '' },
        },
      },
    );
    return new SourceRig(source, logger);
  }

  /** The next content, as a plain object. @throws what the watch ends with */
  async next(): Promise<Record<string, string>> {
    this.#iterator ??= this.source.watch(this.#abort.signal)[Symbol.asyncIterator]();
    try {
      const { value, done } = await this.#iterator.next();
      if (done === true) throw new Error('the watch has ended');
      this.#revision = value.revision;
      return Object.fromEntries(value.entries);
    } catch (error) {
      this.#iterator = undefined;
      throw error;
    }
  }

  /** Of the last content. */
  get revision(): string | undefined {
    return this.#revision;
  }

  /** Ends the watch; resolves once it has ended. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#iterator?.return?.();
  }
}
