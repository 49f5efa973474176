/** States an instance can have in a registry; only UP (and TESTING) instances receive calls. */
export type InstanceStatus = 'UP' | 'DOWN' | 'STARTING' | 'TESTING' | 'OUTOFSERVICE';

/** One address at which an instance speaks one protocol. */
export interface InstanceAddress {
  readonly host: string;
  /** 1..65535 */
  readonly port: number;
  readonly tls: boolean;
}

/**
 * An instance as a registry describes it.
 * `addresses` is keyed by protocol name as go-chassis writes it: `rest`, `grpc`, `rest-admin` (protocol and port name), or `*` for an
 * address that speaks whatever the caller speaks (hand-written `host port` lines).
 */
export interface Instance {
  readonly service: string;
  readonly instanceId: string;
  readonly app: string;
  readonly version: string;
  readonly status: InstanceStatus;
  /** Share of traffic relative to the other instances; 1 is the usual one, 0 takes the instance out. */
  readonly weight: number;
  readonly addresses: ReadonlyMap<string, InstanceAddress>;
  /** Tags that rules can match: zone, stage, anything. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Makes an instance from the few facts that matter, with the usual values for the rest. */
export function makeInstance(
  facts: Pick<Instance, 'service' | 'instanceId' | 'addresses'> & Partial<Instance>,
): Instance {
  return {
    app: 'default',
    version: '0.0.1',
    status: 'UP',
    weight: 1,
    metadata: {},
    ...facts,
  };
}
