import { makeInstance } from '../../registry/instance.js';
import { ServicePlan } from '../../registry/service-plan.js';

/** The plan of a host and port outside the mesh: its instances are the addresses that DNS has given. */
export class EgressPlan extends ServicePlan {
  /** Takes new addresses; those that stay keep their endpoints. */
  resolved(addresses: readonly string[], port: number, now: number): void {
    const sorted = [...addresses].sort();
    const instances = sorted.map((host) =>
      makeInstance({
        service: this.service,
        instanceId: `${host}|${port}`,
        app: '',
        addresses: new Map([['*', { host, port, tls: false }]]),
      }),
    );
    this.apply({ service: this.service, exists: true, revision: sorted.join(' '), instances }, now);
  }
}
