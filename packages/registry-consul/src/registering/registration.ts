import {
  registerUntilDone,
  within,
  type Instance,
  type InstanceStatus,
  type Lease,
  type Logger,
  type Ports,
  type RefusalKind,
  type RegisteringTask,
  type RegistryEventCounter,
  type RetryPauses,
} from '@mesher/core';
import type { ConsulClient } from '../client/consul-client.js';
import { codeOf, ConsulError, messageOf } from '../client/consul-error.js';
import { checkOf, ownCheckId } from '../instances/own-check.js';
import { describeRegistration, registrationId, type RegistrationSettings } from './describe-registration.js';

export interface RegistrationParts {
  readonly client: ConsulClient;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly counter: RegistryEventCounter;
  readonly pauses: RetryPauses;
  readonly settings: RegistrationSettings;
  /** What becomes of it at a stop. */
  readonly onStop: 'deregister' | 'maintenance';
  /** How long one request to keep it alive may take. */
  readonly beatTimeoutMs: number;
  /** How long a request at a stop may take. */
  readonly stopTimeoutMs: number;
  /** Told once, when the instance is gone from Consul or nobody keeps it alive any more. */
  readonly onReleased: (registration: Registration) => void;
}

/** Of the time for a stop, for a registration that the agent is at. */
const SHARE_OF_WAITING = 1 / 3;

/**
 * One instance at a Consul agent. Its id is made here, once: a request that is repeated because its answer was lost makes no second
 * instance, and one that was forgotten comes back under the same id.
 */
export class Registration implements Lease {
  readonly id: string;
  readonly #end = new AbortController();
  #status: InstanceStatus;
  /** What Consul was told last; undefined when that is not sure. */
  #told: InstanceStatus | undefined;
  /** The agent may have it, even if no answer said so. */
  #wasSent = false;
  #isIn = false;
  #hasTold = false;
  #underWay: Promise<void> | undefined;
  #telling: Promise<void> = Promise.resolve();
  /** The last request to register; not given up when the lease is, because nobody knows then whether it came true. */
  #sending: Promise<void> = Promise.resolve();
  readonly #sendingEnd = new AbortController();
  #released: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(
    private readonly self: Instance,
    private readonly parts: RegistrationParts,
  ) {
    this.id = registrationId(self);
    this.#status = self.status;
  }

  /** Aborts when the instance is released. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Why it is not at the agent, or not alive; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Registers, again and again until it is done or the lease is released. One at a time: who asks meanwhile waits for the same.
   * @throws ConsulError when Consul refuses for good
   */
  register(): Promise<void> {
    this.#underWay ??= this.#registerUntilDone().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  /** Keeps the registration alive, and finds out whether it is there still: if not, it comes back. @throws ConsulError when Consul cannot be asked */
  async beat(): Promise<void> {
    if (this.#underWay !== undefined || !this.#isIn || this.#end.signal.aborted) return;
    try {
      await this.#tell(true);
      this.#problem = undefined;
    } catch (error) {
      if (this.#end.signal.aborted) return;
      if (codeOf(error) === 'CONSUL_UNKNOWN') return await this.#registerAgain();
      this.#problem = `${this.self.service} is not kept alive: ${messageOf(error)}`;
      throw error;
    }
  }

  /**
   * Resolves when Consul has the status. After an error it is sent again with the next heartbeat that works.
   * @throws ConsulError when Consul does not take it now
   */
  async setStatus(status: InstanceStatus): Promise<void> {
    this.#status = status;
    // A registration under way tells it when it is done.
    if (this.#underWay !== undefined) return await this.#underWay;
    if (this.#told === status || this.#end.signal.aborted) return;
    try {
      await this.#tell(false);
    } catch (error) {
      this.#told = undefined;
      if (codeOf(error) !== 'CONSUL_UNKNOWN') throw error;
      await this.#registerAgain();
    }
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    const { client, onReleased, onStop, stopTimeoutMs } = this.parts;
    this.#end.abort();
    await this.#underWay?.catch(() => {});
    // One that the agent is at may come true after all, and must not do so after it was taken out.
    await within(this.parts.ports.timers, stopTimeoutMs * SHARE_OF_WAITING, this.#sending);
    this.#sendingEnd.abort();
    onReleased(this);
    if (!this.#wasSent) return;
    const { signal } = new AbortController();
    if (onStop === 'deregister') return await client.deregister(this.id, stopTimeoutMs, signal);
    try {
      await client.setMaintenance(this.id, true, 'Mesher has stopped', stopTimeoutMs, signal);
    } catch (error) {
      if (codeOf(error) !== 'CONSUL_UNKNOWN') throw error;
    }
  }

  async #registerAgain(): Promise<void> {
    const { logger, counter } = this.parts;
    this.#isIn = false;
    this.#told = undefined;
    counter.add('re-registered');
    logger.warn({ id: this.id }, 'Consul has lost this instance; it is registered again');
    try {
      await this.register();
    } catch (error) {
      if (!this.#end.signal.aborted) logger.error({ error }, 'Consul does not take this instance back');
    }
  }

  async #registerUntilDone(): Promise<void> {
    const { ports, pauses, logger } = this.parts;
    const task: RegisteringTask = {
      ...{ service: this.self.service, registry: 'Consul', ports, pauses, logger },
      attempt: (signal) => this.#registerOnce(signal),
      judge: refusalKind,
      onProblem: (problem) => (this.#problem = problem),
    };
    await registerUntilDone(task, this.#end.signal);
  }

  async #registerOnce(signal: AbortSignal): Promise<void> {
    const { client, settings, logger } = this.parts;
    const { registration, packed, lost } = describeRegistration(this.self, this.id, this.#status, settings);
    if (!this.#hasTold) this.#tellWhatDoesNotFit(packed, lost);
    this.#wasSent = true;
    const sent = client.register(registration, undefined, this.#sendingEnd.signal);
    this.#sending = sent.catch(() => {});
    await unless(signal, sent);
    // A check that the agent has already keeps its state and its note, whatever the registration says; a maintenance stays, too.
    do {
      await this.#tell(false);
    } while (this.#told !== this.#status);
    this.#isIn = true;
    logger.info({ id: this.id }, `registered in Consul as ${this.self.service}`);
  }

  /**
   * Tells the status that the instance has when its turn has come: of two that overtake each other on the way the older one would stay.
   * @param isBeat only finds out whether the agent has it still, where Consul does the checks
   */
  #tell(isBeat: boolean): Promise<void> {
    const telling = this.#telling.then(() => this.#tellNow(isBeat));
    this.#telling = telling.catch(() => {});
    return telling;
  }

  async #tellNow(isBeat: boolean): Promise<void> {
    const { client, beatTimeoutMs, settings } = this.parts;
    const { signal } = this.#end;
    const status = this.#status;
    if (settings.check.kind === 'ttl') {
      const { status: checkStatus, note } = checkOf(status);
      if (!this.#isIn) await this.#endMaintenance(signal);
      await client.updateCheck(ownCheckId(this.id), checkStatus, note, beatTimeoutMs, signal);
    } else if (!isBeat || this.#told !== status) {
      // Nobody but Consul may say how its own checks ended; what Mesher knows is a maintenance.
      await client.setMaintenance(this.id, status !== 'UP', `${status}, says Mesher`, beatTimeoutMs, signal);
    } else if (!(await client.isRegistered(this.id, beatTimeoutMs, signal))) {
      throw new ConsulError('CONSUL_UNKNOWN', `the agent does not know ${this.id}`);
    }
    this.#told = status;
  }

  /** One that a process before this one left behind under the same id. */
  async #endMaintenance(signal: AbortSignal): Promise<void> {
    const { client, onStop, beatTimeoutMs } = this.parts;
    if (onStop === 'maintenance') await client.setMaintenance(this.id, false, '', beatTimeoutMs, signal);
  }

  #tellWhatDoesNotFit(packed: readonly string[], lost: readonly string[]): void {
    const { logger } = this.parts;
    this.#hasTold = true;
    if (packed.length > 0) {
      const message =
        'Consul does not take this metadata as it is (names of letters, digits, - and _; values up to 512 bytes; 64 entries); only Mesher will find it';
      logger.warn({ names: packed }, message);
    }
    if (lost.length > 0) logger.warn({ names: lost }, 'Consul has no room for this metadata; nobody will find it');
  }
}

function refusalKind(error: unknown): RefusalKind {
  const code = codeOf(error);
  if (code === 'CONSUL_REFUSED') return 'final';
  return code === 'CONSUL_DENIED' ? 'slow' : 'passing';
}

/** The outcome of `work`. @throws the reason of `signal` as soon as it aborts */
async function unless(signal: AbortSignal, work: Promise<void>): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
