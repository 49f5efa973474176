import type { Instance } from './instance.js';

/**
 * One address that can be dialled. The directory keeps the object for as long as the address stays in a snapshot, so pools and
 * balancers may hang their state on its identity.
 */
export class Endpoint {
  /** `host:port`, IPv6 in brackets. */
  readonly key: string;
  /**
   * Monotonic milliseconds until which the endpoint is passed over after failed connects; 0 when it is fine. When the time is
   * over, one call is let through; the endpoint is fine again once a connection to it was made.
   */
  restingUntil = 0;
  /** Length of the present rest in milliseconds. */
  restMs = 0;
  /** A call was let through after a rest, and what became of it is not known yet. */
  probing = false;
  /** Failed connects in a row; those that fell together count once. */
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
