import type { Ports } from '@mesher/core';
import type { WebSocket } from 'ws';
import type { Tenant } from '../store/tenant.js';
import { ServerSocket } from './server-socket.js';

/** Close code for an instance that is not there. */
const NO_INSTANCE = 4001;
const NO_INSTANCE_TEXT = 'heartbeat reporting failed because the instance does not exist';

/** Websockets whose pongs renew a lease. */
export class Heartbeats {
  #count = 0;

  /** @param changed called after a connection came or went */
  constructor(
    private readonly ports: Ports,
    private readonly pingIntervalMs: number,
    private readonly changed: () => void,
  ) {}

  get count(): number {
    return this.#count;
  }

  accept(socket: WebSocket, tenant: Tenant, serviceId: string, instanceId: string): void {
    if (tenant.instances.find(serviceId, instanceId) === undefined) {
      socket.on('error', () => {});
      socket.close(NO_INSTANCE, NO_INSTANCE_TEXT);
      return;
    }
    this.#count++;
    socket.on('close', () => {
      this.#count--;
      this.changed();
    });
    const renew = (): void => {
      if (!tenant.instances.renew(serviceId, instanceId)) socket.close(NO_INSTANCE, NO_INSTANCE_TEXT);
    };
    new ServerSocket(this.ports, socket, this.pingIntervalMs, () => true, renew);
    this.changed();
  }
}
