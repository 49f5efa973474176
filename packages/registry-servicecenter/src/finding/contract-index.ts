import { jittered, type Logger, pause, type Ports } from '@mesher/core';
import type { ServiceCenter } from '../client/service-center.js';
import { itemsOf, membersOf, textOf } from '../client/wire-model.js';

/** A version of a service that has a contract. */
export interface ContractHolder {
  readonly serviceId: string;
  readonly service: string;
  readonly app: string;
  readonly version: string;
}

/**
 * Which services have which contracts (`autoSchemaIndex`). Names are read with the list of services, texts only when somebody asks for
 * one. For plugins and tools: calls need no contract.
 */
export class ContractIndex {
  readonly #end = new AbortController();
  #holders: ReadonlyMap<string, readonly ContractHolder[]> = new Map();
  #running: Promise<void> | undefined;

  constructor(
    private readonly center: ServiceCenter,
    private readonly environment: string,
    private readonly refreshIntervalMs: number,
    private readonly ports: Ports,
    private readonly logger: Logger,
  ) {}

  /** Begins to follow service-center; resolves with the first answer, good or bad. */
  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    await this.#refresh();
    this.#running = this.#run();
  }

  /** The services with a contract of this id, as of the last good answer. */
  holdersOf(schemaId: string): readonly ContractHolder[] {
    return this.#holders.get(schemaId) ?? [];
  }

  /**
   * Text of a contract; undefined when the service has none of that id.
   * @throws ServiceCenterError when service-center cannot be asked
   */
  async textOf(
    { serviceId }: Pick<ContractHolder, 'serviceId'>,
    schemaId: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    return await this.center.schema(serviceId, schemaId, signal);
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      await pause(this.ports, jittered(this.ports, this.refreshIntervalMs), signal);
      if (!signal.aborted) await this.#refresh();
    }
  }

  async #refresh(): Promise<void> {
    try {
      this.#holders = readHolders(await this.center.services(this.#end.signal), this.environment);
    } catch (error) {
      if (!this.#end.signal.aborted) this.logger.debug({ error }, 'the index of contracts stays as it is');
    }
  }
}

function readHolders(services: readonly unknown[], environment: string): ReadonlyMap<string, ContractHolder[]> {
  const holders = new Map<string, ContractHolder[]>();
  for (const item of services) {
    const service = membersOf(item);
    const serviceId = textOf(service['serviceId']);
    const name = textOf(service['serviceName']);
    if (serviceId === undefined || name === undefined || (textOf(service['environment']) ?? '') !== environment)
      continue;
    const app = textOf(service['appId']) ?? 'default';
    const holder = { serviceId, service: name, app, version: textOf(service['version']) ?? '0.0.1' };
    for (const schema of itemsOf(service['schemas'])) {
      const schemaId = textOf(schema);
      if (schemaId === undefined) continue;
      const known = holders.get(schemaId);
      if (known === undefined) holders.set(schemaId, [holder]);
      else known.push(holder);
    }
  }
  return holders;
}
