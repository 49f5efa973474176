import type { HealthCheckRecord, InstanceRecord, InstanceStatusText, SchemaRecord, ServiceRecord } from './records.js';
import { INSTANCE_STATUSES } from './records.js';
import type { Json, TextRule } from './field-rules.js';
import { RULES, invalid, isObject, listAt, numberAt, objectAt, textAt, textListAt, textsAt } from './field-rules.js';

/** What a client says of a service; the server adds id and times. */
export type GivenService = Omit<ServiceRecord, 'serviceId' | 'timestamp' | 'modTimestamp'> & {
  readonly serviceId: string | undefined;
};

/** What a client says of an instance. */
export type GivenInstance = Omit<
  InstanceRecord,
  'serviceId' | 'instanceId' | 'timestamp' | 'modTimestamp' | 'version'
> & {
  readonly instanceId: string | undefined;
};

/** Defaults of the server for a lease: renewed every 30 s, gone after 3 misses. */
const LEASE_INTERVAL_S = 30;
const LEASE_TIMES = 3;
/** Least that a client may ask for with `mode: push`. */
const LEAST_INTERVAL_S = 5;
const LEAST_TIMES = 3;

/** Reads the `service` of a registration. @throws RegistryError 400001 */
export function readService(json: Json): GivenService {
  const framework = objectAt(json, 'framework');
  return compact({
    serviceId: textAt(json, 'serviceId', RULES.serviceId) || undefined,
    appId: textAt(json, 'appId', { ...RULES.app, min: 0 }) || 'default',
    serviceName: textAt(json, 'serviceName', RULES.name) ?? invalid("field 'serviceName' is missing"),
    version: givenText(json, 'version', RULES.version) ?? '0.0.1',
    environment: textAt(json, 'environment', RULES.environment) || undefined,
    alias: textAt(json, 'alias', RULES.alias) || undefined,
    description: textAt(json, 'description', RULES.description) || undefined,
    level: givenText(json, 'level', RULES.level) ?? 'BACK',
    status: textAt(json, 'status', RULES.serviceStatus) || 'UP',
    registerBy: textAt(json, 'registerBy', RULES.registerBy) || undefined,
    framework:
      framework &&
      compact({
        name: textAt(framework, 'name', RULES.framework) || undefined,
        version: textAt(framework, 'version', { max: 64 }) || undefined,
      }),
    schemas: textListAt(json, 'schemas', RULES.schemaId),
    paths: listAt(json, 'paths')?.map((path) => {
      if (!isObject(path)) invalid("field 'paths' has something that is no object");
      return compact({ path: textAt(path, 'path'), property: textsAt(path, 'property') });
    }),
    properties: textsAt(json, 'properties'),
  });
}

/** Reads the `instance` of a registration. @throws RegistryError 400001 */
export function readInstance(json: Json): GivenInstance {
  const place = objectAt(json, 'dataCenterInfo');
  return compact({
    instanceId: textAt(json, 'instanceId', RULES.instanceId) || undefined,
    endpoints: textListAt(json, 'endpoints', RULES.endpoint),
    hostName: textAt(json, 'hostName', RULES.hostName) ?? invalid("field 'hostName' is missing"),
    status: readStatus(textAt(json, 'status') || 'UP'),
    properties: textsAt(json, 'properties'),
    healthCheck: readHealthCheck(objectAt(json, 'healthCheck')),
    dataCenterInfo: place && {
      name: textAt(place, 'name', RULES.place) ?? invalid("field 'dataCenterInfo.name' is missing"),
      region: textAt(place, 'region', RULES.place) ?? invalid("field 'dataCenterInfo.region' is missing"),
      availableZone:
        textAt(place, 'availableZone', RULES.place) ?? invalid("field 'dataCenterInfo.availableZone' is missing"),
    },
  });
}

/** @throws RegistryError 400001 for what is no status of an instance */
export function readStatus(text: string): InstanceStatusText {
  return INSTANCE_STATUSES.find((status) => status === text) ?? invalid(`field 'status' is not one of them: ${text}`);
}

/** @throws RegistryError 400001 */
export function readSchema(json: Json): SchemaRecord {
  return {
    schemaId: textAt(json, 'schemaId', RULES.schemaId) ?? invalid("field 'schemaId' is missing"),
    summary: textAt(json, 'summary', { max: 128 }) ?? '',
    schema: textAt(json, 'schema', { min: 1 }) ?? invalid("field 'schema' is missing"),
  };
}

/** What the server makes of the wishes of a client: `pull` and none mean the defaults. */
function readHealthCheck(json: Json | undefined): HealthCheckRecord {
  const mode =
    json === undefined
      ? 'push'
      : (textAt(json, 'mode', { pattern: /^(?:push|pull)$/ }) ?? invalid("field 'healthCheck.mode' is missing"));
  const asked = json === undefined ? undefined : numberAt(json, 'interval');
  if (json !== undefined && (asked === undefined || asked < 1)) invalid("field 'healthCheck.interval' is less than 1");
  if (json === undefined || mode === 'pull' || asked === undefined) {
    return { mode, interval: LEASE_INTERVAL_S, times: LEASE_TIMES, ...rest(json) };
  }
  return {
    mode,
    interval: Math.max(asked, LEAST_INTERVAL_S),
    times: Math.max(numberAt(json, 'times') ?? 0, LEAST_TIMES),
    ...rest(json),
  };
}

/** A text that is absent when it is empty, whatever the rule. */
function givenText(json: Json, field: string, rule: TextRule): string | undefined {
  return textAt(json, field) === '' ? undefined : textAt(json, field, rule);
}

function rest(json: Json | undefined): { port?: number; url?: string } {
  if (json === undefined) return {};
  const port = numberAt(json, 'port');
  const url = textAt(json, 'url', { pattern: /^\S*$/ });
  return { ...(port ? { port } : {}), ...(url ? { url } : {}) };
}

/** The same object without members that are undefined: the answers of the server leave out what is empty. */
function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => !isNothing(member))) as T;
}

function isNothing(member: unknown): boolean {
  return member === undefined || (typeof member === 'object' && member !== null && Object.keys(member).length === 0);
}
