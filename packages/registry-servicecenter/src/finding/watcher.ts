import { Alarm, type Logger, pause, type Ports, type RegistryEventCounter } from '@mesher/core';
import type { OwnIdentity } from '../client/own-identity.js';
import { reconnectPause, type ReconnectPauses } from '../client/reconnecting.js';
import type { ServiceCenter } from '../client/service-center.js';
import { messageOf } from '../client/service-center-error.js';
import type { Socket, SocketEnd } from '../client/sockets.js';
import { excerptOf, membersOf, textOf } from '../client/wire-model.js';
import type { Finder } from './finder.js';

/** A connection that held so long was a good one: the next pause is a short one again. Milliseconds. */
const GOOD_LIFE_MS = 60_000;

/**
 * Listens for changes of the services that were asked for. Events are hints only: there is no first state, none that was missed is sent
 * again, and a server with too many drops them all. What changed is asked for, and everything after each connect.
 */
export class Watcher {
  readonly #end = new AbortController();
  readonly #identityAlarm = new Alarm();
  readonly #endIdentity: () => void;
  #running: Promise<void> | undefined;
  #reconnects = 0;
  #wasOpen = false;
  #socket: Socket | undefined;
  #watchedId: string | undefined;

  constructor(
    private readonly center: ServiceCenter,
    private readonly identity: OwnIdentity,
    private readonly finder: Pick<Finder, 'hint' | 'refreshAll'>,
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly pauses: ReconnectPauses,
    private readonly onProblem: (problem: string) => void,
    private readonly counter: Pick<RegistryEventCounter, 'add'>,
  ) {
    this.#endIdentity = identity.onChange(() => {
      this.#identityAlarm.ring();
      // It listens for somebody else.
      if (identity.serviceId !== this.#watchedId) this.#socket?.abandon();
    });
  }

  /** Connections that were tried, the first one included. */
  get reconnects(): number {
    return this.#reconnects;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#endIdentity();
    this.#end.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    let failures = 0;
    while (!signal.aborted) {
      const { serviceId } = this.identity;
      if (serviceId === undefined) {
        await this.#identityAlarm.sleep(this.ports, undefined, signal);
        continue;
      }
      const begunAt = this.ports.clock.now();
      const end = await this.#watchOnce(serviceId, signal);
      if (signal.aborted) return;
      if (end?.opened === true && this.ports.clock.now() - begunAt > GOOD_LIFE_MS) failures = 0;
      failures++;
      this.logger.debug({ ...end }, 'the watch of service-center has ended; it is connected again');
      // For another identity it was ended here, and for nobody else in the same moment.
      const wasLost = end?.opened === true && this.identity.serviceId === serviceId;
      await pause(this.ports, reconnectPause(this.ports, wasLost, failures, this.pauses), signal);
    }
  }

  async #watchOnce(serviceId: string, signal: AbortSignal): Promise<SocketEnd | undefined> {
    this.#reconnects++;
    this.#watchedId = serviceId;
    let stop = (): void => {};
    try {
      return await new Promise<SocketEnd | undefined>((resolve, reject) => {
        stop = () => {
          this.#socket?.close();
          resolve(undefined);
        };
        signal.addEventListener('abort', stop, { once: true });
        const events = {
          onOpen: () => this.#opened(),
          onText: (text: string) => this.#take(text),
          onEnd: resolve,
        };
        this.center.watch(serviceId, events, signal).then((opened) => {
          this.#socket = opened;
          if (signal.aborted) stop();
        }, reject);
      });
    } catch (error) {
      this.logger.debug({ error }, 'the watch of service-center could not be connected');
      return undefined;
    } finally {
      this.#socket = undefined;
      signal.removeEventListener('abort', stop);
    }
  }

  #opened(): void {
    if (this.#wasOpen) this.counter.add('reconnected');
    this.#wasOpen = true;
    this.finder.refreshAll();
  }

  #reject(problem: string): void {
    this.onProblem(problem);
    this.counter.add('answer-rejected');
  }

  #take(text: string): void {
    let event: unknown;
    try {
      event = JSON.parse(text);
    } catch {
      // A refusal comes as words, after the handshake.
      if (/not exist/i.test(text)) this.identity.suspect();
      else this.#reject(`the watch said something that is no event: ${excerptOf(text)}`);
      return;
    }
    try {
      this.#hint(event);
    } catch (error) {
      this.#reject(`an event of the watch could not be used: ${messageOf(error)}`);
    }
  }

  /** The action first: what DELETE carries may still read UP, and EXPIRE carries nothing. */
  #hint(event: unknown): void {
    const { action, key, instance } = membersOf(event);
    const { appId, serviceName } = membersOf(key);
    const name = textOf(serviceName);
    if (name === undefined) {
      this.#reject('an event of the watch names no service');
      this.finder.refreshAll();
      return;
    }
    const id = textOf(membersOf(instance)['instanceId']);
    const said = id === undefined ? undefined : { id, isGone: action === 'DELETE' };
    this.finder.hint(textOf(appId) ?? 'default', name, said);
  }
}
