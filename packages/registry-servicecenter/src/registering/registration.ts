import { randomUUID } from 'node:crypto';
import {
  type Instance,
  type InstanceStatus,
  type Lease,
  type Logger,
  type Ports,
  type RegisteringTask,
  registerUntilDone,
  type RegistryEvent,
  type RetryPauses,
} from '@mesher/core';
import { SC_CODE } from '../client/error-codes.js';
import type { InstanceKey, ServiceCenter } from '../client/service-center.js';
import { errorCodeOf, ServiceCenterError } from '../client/service-center-error.js';
import { describeInstance, describeService, type OwnFacts } from './own-service.js';
import { tellTags } from './own-tags.js';
import type { SchemaFiles } from './schema-files.js';

export interface RegistrationParts {
  readonly center: ServiceCenter;
  readonly facts: OwnFacts;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly pauses: RetryPauses;
  /** Contracts to send along; undefined when none are sent. */
  readonly schemas: SchemaFiles | undefined;
  /** Told of the service's id, whenever it is learned. */
  readonly onService: (serviceId: string) => void;
  /** Told once, when the instance is gone from service-center or nobody keeps it alive any more. */
  readonly onReleased: (registration: Registration) => void;
  /** Counts what happens. */
  readonly onEvent: (event: RegistryEvent) => void;
}

/**
 * One instance in service-center. Its id is made here, once: a request that is repeated because its answer was lost makes no second
 * instance, and one that was forgotten comes back under the same id.
 */
export class Registration implements Lease {
  readonly instanceId: string;
  readonly #end = new AbortController();
  #serviceId: string | undefined;
  /** The service below which the instance may be, even if no answer said so. */
  #sentTo: string | undefined;
  #status: InstanceStatus;
  /** What service-center was told last; undefined when that is not sure. */
  #told: InstanceStatus | undefined;
  #underWay: Promise<void> | undefined;
  #released: Promise<void> | undefined;
  #telling: Promise<void> = Promise.resolve();
  /** True once it was in service-center. */
  #wasIn = false;
  #problem: string | undefined;

  constructor(
    private readonly self: Instance,
    private readonly parts: RegistrationParts,
  ) {
    this.instanceId = self.instanceId === '' ? randomUUID().replaceAll('-', '') : self.instanceId;
    this.#status = self.status;
  }

  /** Where it is in service-center; undefined while it is not. */
  get key(): InstanceKey | undefined {
    return this.#serviceId === undefined ? undefined : { serviceId: this.#serviceId, instanceId: this.instanceId };
  }

  /** Aborts when the instance is released. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Why it is not in service-center; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Registers, again and again until it is done or the lease is released. One at a time: who asks meanwhile waits for the same.
   * @throws ServiceCenterError when service-center refuses for good
   */
  register(): Promise<void> {
    this.#underWay ??= this.#registerUntilDone().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  /** Service-center does not know the instance any more: it comes back with the status that it has now. */
  async registerAgain(): Promise<void> {
    const { logger, onEvent } = this.parts;
    if (this.#underWay !== undefined) return await this.#underWay.catch(() => {});
    this.#serviceId = undefined;
    this.#told = undefined;
    onEvent('re-registered');
    logger.warn({ instanceId: this.instanceId }, 'service-center has lost this instance; it is registered again');
    try {
      await this.register();
    } catch (error) {
      logger.error({ error }, 'service-center does not take this instance back');
    }
  }

  /**
   * Sends the status once more when service-center may not have it. One request at a time: of two that overtake each other on the way,
   * the older status would be the one that stays.
   * @throws ServiceCenterError
   */
  tellStatus(): Promise<void> {
    const before = this.#telling;
    const telling = before.catch(() => {}).then(() => this.#tellNow());
    this.#telling = telling;
    return telling;
  }

  async #tellNow(): Promise<void> {
    const { key } = this;
    const status = this.#status;
    if (key === undefined || this.#told === status) return;
    this.#told = undefined;
    await this.parts.center.setStatus(key, status, this.#end.signal);
    this.#told = status;
  }

  /**
   * Resolves when service-center has the status. After an error it is sent again with the next heartbeat that works.
   * @throws ServiceCenterError when service-center does not take it now
   */
  async setStatus(status: InstanceStatus): Promise<void> {
    this.#status = status;
    try {
      await this.tellStatus();
    } catch (error) {
      if (errorCodeOf(error) !== SC_CODE.instanceNotExist) throw error;
      await this.registerAgain();
    }
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    const { center, onReleased } = this.parts;
    this.#end.abort();
    // A registration whose answer was not waited for may still come true.
    await this.#underWay?.catch(() => {});
    onReleased(this);
    const serviceId = this.#sentTo;
    if (serviceId === undefined) return;
    await center.unregisterInstance({ serviceId, instanceId: this.instanceId }, new AbortController().signal);
  }

  async #registerUntilDone(): Promise<void> {
    const { ports, pauses, logger } = this.parts;
    const task: RegisteringTask = {
      ...{ service: this.self.service, registry: 'service-center', ports, pauses, logger },
      attempt: (signal) => this.#registerOnce(signal),
      // What was taken once will be taken again: somebody in between may have spoilt the question.
      judge: (error) => (isForGood(error) && !this.#wasIn ? 'final' : isSlow(error) ? 'slow' : 'passing'),
      onProblem: (problem) => (this.#problem = problem),
    };
    await registerUntilDone(task, this.#end.signal);
  }

  async #registerOnce(signal: AbortSignal): Promise<void> {
    const { center, facts, schemas, onService, logger } = this.parts;
    const contracts = (await schemas?.read()) ?? [];
    const wire = describeService(
      this.self,
      facts,
      contracts.map(({ id }) => id),
    );
    const known = await center.findServiceId(wire, signal);
    const serviceId = known ?? (await center.registerService(wire, signal));
    if (known !== undefined) await this.#bringPropertiesUpToDate(known, wire.properties ?? {}, signal);
    await tellTags(center, serviceId, facts.service.tags, logger, signal);
    const status = this.#status;
    this.#sentTo = serviceId;
    await center.registerInstance(serviceId, describeInstance(this.self, this.instanceId, status, facts), signal);
    this.#serviceId = serviceId;
    this.#wasIn = true;
    onService(serviceId);
    // An instance that was alive still keeps what it was registered with.
    this.#told = undefined;
    await this.tellStatus();
    logger.info({ serviceId, instanceId: this.instanceId }, `registered in service-center as ${this.self.service}`);
    await schemas?.upload(center, serviceId, contracts, signal);
  }

  /** A registered service keeps what it was registered with; other properties, of whoever set them, stay. */
  async #bringPropertiesUpToDate(
    serviceId: string,
    own: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { center } = this.parts;
    const present = await center.serviceProperties(serviceId, signal);
    if (Object.entries(own).every(([name, value]) => present[name] === value)) return;
    await center.setServiceProperties(serviceId, { ...present, ...own }, signal);
  }
}

/** What no repetition can mend: the instance or the service is not as service-center wants it. */
function isForGood(error: unknown): boolean {
  return errorCodeOf(error) === SC_CODE.invalidParameters;
}

/** What people have to mend. */
function isSlow(error: unknown): boolean {
  const isDenied = error instanceof ServiceCenterError && error.code === 'SC_DENIED';
  return isDenied || isForGood(error) || errorCodeOf(error) === SC_CODE.quotaExceeded;
}
