import type { Ports } from '@mesher/core';
import type { WebSocket } from 'ws';
import { eventKey, type Tenant, type TenantEvent } from '../store/tenant.js';
import { ServerSocket } from './server-socket.js';

/** Events that a watcher has not taken yet: service-center keeps 5,000 of them, and drops all when there are more. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;

interface Watcher {
  readonly tenant: string;
  readonly serviceId: string;
  readonly socket: WebSocket;
}

/** Websockets that are told of changes of the services that their own service has asked for. */
export class Watchers {
  readonly #open = new Set<Watcher>();
  /** While true, events go nowhere, as those of a full queue do. */
  loses = false;

  /** @param changed called after a watcher came or went */
  constructor(
    private readonly ports: Ports,
    private readonly pingIntervalMs: number,
    private readonly changed: () => void,
  ) {}

  get count(): number {
    return this.#open.size;
  }

  /** Takes a connection over; a service that is not there is told so in plain text, and left. */
  accept(socket: WebSocket, tenant: Tenant, serviceId: string): void {
    const exists = (): boolean => tenant.services.find(serviceId) !== undefined;
    if (!exists()) {
      socket.on('error', () => {});
      socket.send('service does not exist', () => socket.terminate());
      return;
    }
    const watcher: Watcher = { tenant: tenant.name, serviceId, socket };
    this.#open.add(watcher);
    socket.on('close', () => {
      this.#open.delete(watcher);
      this.changed();
    });
    new ServerSocket(this.ports, socket, this.pingIntervalMs, exists, () => {});
    this.changed();
  }

  publish(tenant: Tenant, { action, service, instance, consumers }: TenantEvent): void {
    if (this.loses || consumers.length === 0) return;
    const frame = JSON.stringify({ action, key: eventKey(tenant.name, service), instance });
    for (const { socket, serviceId, tenant: name } of this.#open) {
      if (name !== tenant.name || !consumers.includes(serviceId)) continue;
      // Who does not read what it is told would have it kept here, without an end. It finds everything once it has connected again.
      if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.terminate();
      else socket.send(frame);
    }
  }

  /** Sends any text to the watchers of a service. @returns to how many */
  send(serviceId: string, text: string): number {
    const watchers = [...this.#open].filter((watcher) => watcher.serviceId === serviceId);
    for (const { socket } of watchers) socket.send(text);
    return watchers.length;
  }
}
