import { randomUUID } from 'node:crypto';
import { checkText, invalid, RULES } from './field-rules.js';
import type { GivenService } from './read-records.js';
import { checkQuota, DEFAULT_QUOTAS, type Quotas } from './quotas.js';
import type { SchemaRecord, ServiceExtras, ServiceKey, ServiceRecord, Texts } from './records.js';
import { RegistryError } from './registry-error.js';

/** Most tags of one service version. */
const MAX_TAGS = 100;

interface Entry {
  record: ServiceRecord;
  tags: Texts;
  readonly schemas: Map<string, SchemaRecord>;
}

/** The service versions of one tenant with their tags and contracts. */
export class ServiceTable {
  readonly #entries = new Map<string, Entry>();
  /** Ids of all versions by `environment/appId/serviceName`. */
  readonly #byName = new Map<string, Set<string>>();
  readonly #byAlias = new Map<string, Set<string>>();

  constructor(private readonly quotas: Quotas = DEFAULT_QUOTAS) {}

  /**
   * Takes a service in; one that is there already keeps its record.
   * @param now seconds since 1970, as text
   * @throws RegistryError 400010 when the given id belongs to another service, or the service has another id; 400100
   */
  register(given: GivenService, now: string): { readonly serviceId: string; readonly created: boolean } {
    const present = this.#sameVersion(given);
    if (present !== undefined || (given.serviceId !== undefined && this.#entries.has(given.serviceId))) {
      if (present !== undefined && (given.serviceId ?? present) === present)
        return { serviceId: present, created: false };
      throw new RegistryError(400010, 'ServiceID conflict or found the same service with different id.');
    }
    checkQuota(this.quotas, 'services', this.#entries.size + 1);
    const serviceId = given.serviceId ?? randomUUID().replaceAll('-', '');
    this.put({ ...given, serviceId, timestamp: now, modTimestamp: now }, { tags: {}, schemas: [] });
    return { serviceId, created: true };
  }

  /** Puts a record as it is, for a restored state. */
  put(record: ServiceRecord, extras: ServiceExtras): void {
    const schemas = new Map(extras.schemas.map((schema) => [schema.schemaId, schema]));
    this.#entries.set(record.serviceId, { record, tags: extras.tags, schemas });
    addTo(this.#byName, nameKey(record), record.serviceId);
    if (record.alias !== undefined) addTo(this.#byAlias, aliasKey(record, record.alias), record.serviceId);
  }

  remove(serviceId: string): void {
    const { record } = this.#entry(serviceId);
    this.#entries.delete(serviceId);
    removeFrom(this.#byName, nameKey(record), serviceId);
    if (record.alias !== undefined) removeFrom(this.#byAlias, aliasKey(record, record.alias), serviceId);
  }

  find(serviceId: string): ServiceRecord | undefined {
    return this.#entries.get(serviceId)?.record;
  }

  /** @throws RegistryError 400012 */
  get(serviceId: string): ServiceRecord {
    return this.#entry(serviceId).record;
  }

  list(): readonly ServiceRecord[] {
    return Array.from(this.#entries.values(), ({ record }) => record);
  }

  /** All versions of a name; when there are none, those whose alias it is. */
  versionsOf(key: Omit<ServiceKey, 'version'>): readonly ServiceRecord[] {
    const ids = this.#byName.get(nameKey(key)) ?? (key.alias ? this.#byAlias.get(aliasKey(key, key.alias)) : undefined);
    return Array.from(ids ?? [], (id) => this.#entry(id).record);
  }

  setProperties(serviceId: string, properties: Texts, now: string): void {
    const entry = this.#entry(serviceId);
    entry.record = { ...entry.record, properties, modTimestamp: now };
  }

  extras(serviceId: string): ServiceExtras {
    const { tags, schemas } = this.#entry(serviceId);
    return { tags, schemas: [...schemas.values()] };
  }

  /** Replaces all tags. @throws RegistryError 400012, 400001 for a key that is none and for too many */
  setTags(serviceId: string, tags: Texts): void {
    const entry = this.#entry(serviceId);
    for (const key of Object.keys(tags)) checkText('tags', key, RULES.tag);
    if (Object.keys(tags).length > MAX_TAGS) invalid(`field 'tags' has more than ${MAX_TAGS}`);
    entry.tags = tags;
  }

  /** @throws RegistryError 400018 */
  setTag(serviceId: string, key: string, value: string): void {
    const entry = this.#entry(serviceId);
    if (!(key in entry.tags)) throw new RegistryError(400018, 'Tag does not exist, please add one first.');
    entry.tags = { ...entry.tags, [key]: value };
  }

  /** @throws RegistryError 400018 */
  removeTags(serviceId: string, keys: readonly string[]): void {
    const entry = this.#entry(serviceId);
    for (const key of keys) {
      if (!(key in entry.tags))
        throw new RegistryError(400018, `Delete tags failed for this key ${key} does not exist.`);
    }
    entry.tags = Object.fromEntries(Object.entries(entry.tags).filter(([key]) => !keys.includes(key)));
  }

  /** Adds or replaces contracts; their ids become those of the record, too. @throws RegistryError 400012, 400100 */
  putSchemas(serviceId: string, schemas: readonly SchemaRecord[], now: string): void {
    const entry = this.#entry(serviceId);
    checkQuota(this.quotas, 'schemas', new Set([...entry.schemas.keys(), ...schemas.map((one) => one.schemaId)]).size);
    for (const schema of schemas) entry.schemas.set(schema.schemaId, schema);
    const ids = new Set([...(entry.record.schemas ?? []), ...schemas.map(({ schemaId }) => schemaId)]);
    entry.record = { ...entry.record, schemas: [...ids], modTimestamp: now };
  }

  /** Replaces all contracts. */
  replaceSchemas(serviceId: string, schemas: readonly SchemaRecord[], now: string): void {
    const entry = this.#entry(serviceId);
    entry.schemas.clear();
    entry.record = { ...entry.record, schemas: [] };
    this.putSchemas(serviceId, schemas, now);
  }

  /** @throws RegistryError 400016 */
  schema(serviceId: string, schemaId: string): SchemaRecord {
    const schema = this.#entry(serviceId).schemas.get(schemaId);
    if (schema === undefined) throw new RegistryError(400016, 'Schema does not exist.');
    return schema;
  }

  /** @throws RegistryError 400016 */
  removeSchema(serviceId: string, schemaId: string): void {
    this.schema(serviceId, schemaId);
    this.#entry(serviceId).schemas.delete(schemaId);
  }

  #sameVersion(key: ServiceKey): string | undefined {
    return this.versionsOf(key).find(({ version }) => version === key.version)?.serviceId;
  }

  #entry(serviceId: string): Entry {
    const entry = this.#entries.get(serviceId);
    if (entry === undefined) throw new RegistryError(400012, 'Service does not exist.');
    return entry;
  }
}

/** What all versions of a service have in common. */
export function nameKey(key: Pick<ServiceKey, 'environment' | 'appId' | 'serviceName'>): string {
  return `${key.environment ?? ''}/${key.appId}/${key.serviceName}`;
}

function aliasKey(key: Pick<ServiceKey, 'environment' | 'appId'>, alias: string): string {
  return `${key.environment ?? ''}/${key.appId}/${alias}`;
}

function addTo(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key);
  if (ids === undefined) index.set(key, new Set([id]));
  else ids.add(id);
}

function removeFrom(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key);
  ids?.delete(id);
  if (ids?.size === 0) index.delete(key);
}
