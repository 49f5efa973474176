/** A map of texts, as properties and tags are. */
export type Texts = Readonly<Record<string, string>>;

/** What names a service version. `alias` is another name that it may be found by. */
export interface ServiceKey {
  /** Absent for the empty one, which is an environment of its own. */
  readonly environment?: string;
  readonly appId: string;
  readonly serviceName: string;
  readonly version: string;
  readonly alias?: string;
}

/** A service version as the registry stores and answers it. Times are seconds since 1970, as text. */
export interface ServiceRecord {
  readonly serviceId: string;
  readonly appId: string;
  readonly serviceName: string;
  readonly version: string;
  readonly environment?: string;
  readonly alias?: string;
  readonly description?: string;
  readonly level?: string;
  readonly status?: string;
  readonly registerBy?: string;
  readonly framework?: { readonly name?: string; readonly version?: string };
  readonly schemas?: readonly string[];
  readonly paths?: readonly { readonly path?: string; readonly property?: Texts }[];
  readonly properties?: Texts;
  readonly timestamp: string;
  readonly modTimestamp: string;
}

export const INSTANCE_STATUSES = ['UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE'] as const;

export type InstanceStatusText = (typeof INSTANCE_STATUSES)[number];

export interface HealthCheckRecord {
  readonly mode: string;
  readonly port?: number;
  /** Seconds. */
  readonly interval: number;
  readonly times: number;
  readonly url?: string;
}

/** An instance as the registry stores and answers it. */
export interface InstanceRecord {
  readonly instanceId: string;
  readonly serviceId: string;
  readonly endpoints?: readonly string[];
  readonly hostName: string;
  readonly status: InstanceStatusText;
  readonly properties?: Texts;
  readonly healthCheck: HealthCheckRecord;
  readonly dataCenterInfo?: { readonly name: string; readonly region: string; readonly availableZone: string };
  readonly timestamp: string;
  readonly modTimestamp: string;
  readonly version: string;
}

/** A contract of a service version. */
export interface SchemaRecord {
  readonly schemaId: string;
  readonly summary: string;
  readonly schema: string;
}

/** What is known of a service version besides its record. */
export interface ServiceExtras {
  readonly tags: Texts;
  readonly schemas: readonly SchemaRecord[];
}
