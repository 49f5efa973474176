import type { Instance } from './instance.js';

/**
 * One address that can be dialled. The directory keeps the object for as long as the address stays in a snapshot, so pools and
 * balancers may hang their state on its identity.
 */
export class Endpoint {
  /** `host:port`, IPv6 in brackets. */
  readonly key: string;
  /** Monotonic milliseconds until which the endpoint is passed over after failed connects; 0 when it is fine. */
  restingUntil = 0;
  /** Failed connects in a row. */
  connectFailures = 0;
  /** True once no snapshot holds this address any more: pools close its idle connections. */
  retired = false;

  constructor(
    readonly host: string,
    readonly port: number,
    /** The instance behind the address, as last seen; undefined for local targets. */
    public instance: Instance | undefined = undefined,
    /** Share of traffic relative to the other endpoints. */
    public weight: number = 1,
  ) {
    this.key = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }
}
