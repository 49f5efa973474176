import { makeInstance } from '../../registry/instance.js';
import { ServicePlan } from '../../registry/service-plan.js';

/** The plan of a host and port outside the mesh: its instances are the addresses that DNS has given. */
export class EgressPlan extends ServicePlan {
  /**
   * Takes new addresses; those that stay keep their endpoints.
   * @param speaksHttp2 a rule says so; otherwise nothing is known but that something listens there
   */
  resolved(addresses: readonly string[], port: number, speaksHttp2: boolean, now: number): void {
    const name = speaksHttp2 ? 'h2c' : '*';
    const sorted = [...addresses].sort();
    const instances = sorted.map((host) =>
      makeInstance({
        service: this.service,
        instanceId: `${host}|${port}`,
        app: '',
        addresses: new Map([[name, { host, port, tls: false }]]),
      }),
    );
    this.apply({ service: this.service, exists: true, revision: sorted.join(' '), instances }, now);
  }
}
