import { type Logger, pause, type Ports, type RegistryEvent } from '@mesher/core';
import { reconnectPause, type ReconnectPauses } from '../client/reconnecting.js';
import type { ServiceCenter } from '../client/service-center.js';
import type { Socket, SocketEnd } from '../client/sockets.js';
import type { Registration } from './registration.js';

export interface HeartbeatSocketSettings {
  readonly pauses: ReconnectPauses;
  /** Counts what happens. */
  readonly onEvent: (event: RegistryEvent) => void;
}

/** A connection that held so long was a good one: the next pause is a short one again. Milliseconds. */
const GOOD_LIFE_MS = 60_000;
/** With this code service-center ends the WebSocket of an instance that it does not know. */
const INSTANCE_NOT_EXIST = 4001;
/** Statuses of servers that have no heartbeat by WebSocket. */
const UNKNOWN_PATH: ReadonlySet<number | undefined> = new Set([400, 404, 405]);

/**
 * Keeps one registration alive over a WebSocket: service-center pings, and each pong is a heartbeat. While there is no connection, and
 * for good with a server that knows no such thing, {@link isAlive} is false and requests are sent instead.
 */
export class HeartbeatSocket {
  #isAlive = false;

  /** @param onLost told when there is no connection any more: requests are needed, within so many milliseconds */
  constructor(
    private readonly registration: Registration,
    private readonly center: ServiceCenter,
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly settings: HeartbeatSocketSettings,
    private readonly onLost: (withinMs: number) => void,
  ) {}

  /** True while the WebSocket keeps the instance alive. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Connects, and connects again, until the registration is released or the server proves to be too old. Never rejects. */
  async run(): Promise<void> {
    const { ended } = this.registration;
    const { clock } = this.ports;
    let failures = 0;
    let wasOpen = false;
    while (!ended.aborted) {
      const begunAt = clock.now();
      const end = await this.#connectOnce(ended, () => {
        if (wasOpen) this.settings.onEvent('reconnected');
        wasOpen = true;
      });
      this.#isAlive = false;
      if (ended.aborted) return;
      const { pauses } = this.settings;
      const wasLost = end?.opened === true && end.code !== INSTANCE_NOT_EXIST;
      this.onLost(wasLost ? pauses.reconnectSpread : 0);
      if (end !== undefined && !end.opened && UNKNOWN_PATH.has(end.status)) {
        this.logger.info({}, 'this service-center takes no heartbeats over a WebSocket; they are sent as requests');
        return;
      }
      if (end?.code === INSTANCE_NOT_EXIST) await this.registration.registerAgain();
      // A server that opens and closes at once must not be connected to as fast as it does.
      failures = end?.opened === true && clock.now() - begunAt > GOOD_LIFE_MS ? 1 : failures + 1;
      await pause(this.ports, reconnectPause(this.ports, wasLost, failures, pauses), ended);
    }
  }

  /** Resolves when the connection has ended; undefined when it could not be tried. */
  async #connectOnce(signal: AbortSignal, onOpen: () => void): Promise<SocketEnd | undefined> {
    const { key } = this.registration;
    if (key === undefined) return undefined;
    let socket: Socket | undefined;
    let stop = (): void => {};
    try {
      return await new Promise<SocketEnd | undefined>((resolve, reject) => {
        stop = () => {
          socket?.close();
          resolve(undefined);
        };
        signal.addEventListener('abort', stop, { once: true });
        const opened = (): void => {
          this.#isAlive = true;
          onOpen();
        };
        const events = { onOpen: opened, onText: () => {}, onEnd: resolve };
        this.center.heartbeatSocket(key, events, signal).then((made) => {
          socket = made;
          if (signal.aborted) stop();
        }, reject);
      });
    } catch (error) {
      this.logger.debug({ error }, 'the heartbeat of service-center could not be connected');
      return undefined;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}
