import type { InstanceStatus } from '@mesher/core';

export { excerptOf, itemsOf, membersOf, textOf, textsOf } from '@mesher/core';

/** Stands for the region or the zone of an instance of which only the other one is known: service-center refuses half a place. */
export const UNKNOWN_PLACE = 'unknown';

/** A service as service-center keeps it; only what Mesher reads or writes. */
export interface WireService {
  readonly serviceId?: string;
  readonly appId: string;
  readonly serviceName: string;
  readonly version: string;
  readonly environment?: string;
  readonly alias?: string;
  readonly description?: string;
  readonly level?: string;
  readonly status?: 'UP' | 'DOWN';
  readonly schemas?: readonly string[];
  readonly paths?: readonly unknown[];
  readonly properties?: Readonly<Record<string, string>>;
  readonly registerBy?: 'SDK' | 'SIDECAR' | 'PLATFORM';
  readonly framework?: { readonly name: string; readonly version: string };
}

/** An instance as service-center keeps it. */
export interface WireInstance {
  readonly instanceId: string;
  readonly hostName: string;
  readonly endpoints: readonly string[];
  readonly status: InstanceStatus;
  readonly version: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly healthCheck: { readonly mode: 'push'; readonly interval: number; readonly times: number };
  readonly dataCenterInfo?: { readonly name: string; readonly region: string; readonly availableZone: string };
}
