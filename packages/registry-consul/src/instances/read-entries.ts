import { itemsOf, membersOf, textOf, textsOf, type Instance, type InstanceAddress } from '@mesher/core';
import { readHealth, type HealthRules } from './read-health.js';
import { readMeta, type ReadMeta } from './read-meta.js';

export interface ReadingRules extends HealthRules {
  /** Under which name Mesher looked for them. */
  readonly service: string;
  /** Instances of another one are left out; undefined lets all in. */
  readonly environment: string | undefined;
}

/** One entry of an answer. */
export interface FoundEntry {
  readonly instance: Instance;
  /** See `Health.isUnheard`. */
  readonly isUnheard: boolean;
}

/** Longest id, version and name of a tag: what is longer is none, and would be kept for every instance. */
const MAX_NAME_LENGTH = 512;
const DEFAULT_APP = 'default';
const DEFAULT_VERSION = '0.0.1';

/** What people and frameworks write in the metadata `protocol` and as tags, and what Mesher calls it; the second says TLS. */
const PROTOCOLS: ReadonlyMap<string, readonly [protocol: string, tls: boolean]> = new Map([
  ['http', ['rest', false]],
  ['http1', ['rest', false]],
  ['rest', ['rest', false]],
  ['https', ['rest', true]],
  ['grpc', ['grpc', false]],
  ['grpcs', ['grpc', true]],
  ['http2', ['h2c', false]],
  ['h2c', ['h2c', false]],
  ['tcp', ['tcp', false]],
]);

/**
 * Reads an entry of `/v1/health/service`. What makes no sense is left out and told.
 * @param id of the instance, which is unique in the answer
 */
export function readEntry(
  item: unknown,
  id: string,
  rules: ReadingRules,
  onProblem: (problem: string) => void,
): FoundEntry | undefined {
  const { Checks, ...entry } = membersOf(item);
  const node = membersOf(entry['Node']);
  const service = membersOf(entry['Service']);
  const { status, isWarning, isUnheard } = readHealth(Checks, textOf(service['ID']) ?? '', rules);
  const instance = readInstance({ id, node, service }, rules, isWarning, onProblem);
  if (instance === undefined) return undefined;
  if (instance.addresses.size === 0) onProblem(`${rules.service} ${id}: no address`);
  return { instance: { ...instance, status }, isUnheard };
}

/** Reads an entry of `/v1/catalog/service`, which says nothing of health. Among all services, who only calls needs no address. */
export function readCatalogEntry(
  item: unknown,
  id: string,
  rules: ReadingRules,
  onProblem: (problem: string) => void,
): Instance | undefined {
  const flat = membersOf(item);
  const node = { Address: flat['Address'], Datacenter: flat['Datacenter'], Meta: flat['NodeMeta'] };
  const service = {
    Address: flat['ServiceAddress'],
    Port: flat['ServicePort'],
    Meta: flat['ServiceMeta'],
    Tags: flat['ServiceTags'],
    Weights: flat['ServiceWeights'],
  };
  return readInstance({ id, node, service }, rules, false, onProblem);
}

/**
 * Names the entries of an answer: the id of a registration is unique at its agent only, so one that occurs twice gets the name of its
 * node.
 */
export function nameEntries(
  items: readonly unknown[],
  idOf: (item: unknown) => unknown,
  nodeOf: (item: unknown) => unknown,
): readonly string[] {
  const ids = items.map((item) => textOf(idOf(item))?.slice(0, MAX_NAME_LENGTH) ?? '');
  const seen = new Set<string>();
  const twice = new Set(ids.filter((id) => seen.size === seen.add(id).size));
  return ids.map((id, at) => (twice.has(id) && id !== '' ? `${id}@${textOf(nodeOf(items[at])) ?? ''}` : id));
}

interface Parts {
  readonly id: string;
  readonly node: Readonly<Record<string, unknown>>;
  readonly service: Readonly<Record<string, unknown>>;
}

function readInstance(
  { id, node, service }: Parts,
  { service: name, environment }: ReadingRules,
  isWarning: boolean,
  onProblem: (problem: string) => void,
): Instance | undefined {
  if (id === '') {
    onProblem(`${name}: an instance without ID`);
    return undefined;
  }
  const tell = (problem: string): void => onProblem(`${name} ${id}: ${problem}`);
  const meta = readMeta(service['Meta'], tell);
  if (environment !== undefined && (meta.environment ?? environment) !== environment) return undefined;
  const tags = itemsOf(service['Tags']).filter((tag): tag is string => typeof tag === 'string' && tag !== '');
  const tagged = metadataOfTags(tags);
  const addresses = meta.addresses.size > 0 ? meta.addresses : plainAddress(node, service, meta, tags);
  return {
    service: name,
    instanceId: id,
    app: short(meta.app) ?? DEFAULT_APP,
    // Before Consul had metadata, tags told the version.
    version: short(meta.version) ?? short(tagged['version']) ?? DEFAULT_VERSION,
    status: 'UP',
    weight: meta.weight ?? weightOf(service['Weights'], isWarning),
    addresses: addresses ?? new Map<string, InstanceAddress>(),
    metadata: { ...placeOf(node, service), ...tagged, ...meta.metadata },
  };
}

/** The one address that Consul knows of; undefined when there is none. */
function plainAddress(
  node: Parts['node'],
  service: Parts['service'],
  { metadata }: ReadMeta,
  tags: readonly string[],
): ReadonlyMap<string, InstanceAddress> | undefined {
  const host = textOf(service['Address']) ?? textOf(node['Address']);
  const port = service['Port'];
  if (host === undefined || typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    return undefined;
  }
  const words = [metadata['protocol'], ...tags].map((word) => PROTOCOLS.get(word?.toLowerCase() ?? ''));
  const [protocol, tls] = words.find((found) => found !== undefined) ?? ['*', false];
  // `secure` is what Spring Cloud Consul writes.
  const isSecure = [metadata['secure'], metadata['tls']].includes('true') || tags.includes('secure=true');
  return new Map([[protocol, { host: host.replace(/^\[|\]$/g, ''), port, tls: tls || isSecure }]]);
}

function weightOf(weights: unknown, isWarning: boolean): number {
  const { Passing, Warning } = membersOf(weights);
  const weight = isWarning ? Warning : Passing;
  return typeof weight === 'number' && weight >= 0 ? weight : 1;
}

/** A datacenter of Consul is what others call a region. */
function placeOf(node: Parts['node'], service: Parts['service']): Record<string, string> {
  const { Region, Zone } = { ...textsOf(node['Locality']), ...textsOf(service['Locality']) };
  const region = Region ?? textOf(node['Datacenter']);
  const zone = Zone ?? textsOf(node['Meta'])['zone'];
  return { ...(region === undefined ? {} : { region }), ...(zone === undefined ? {} : { zone }) };
}

/** A tag `stage=canary` is an entry, as older frameworks write it; any other one, `canary`, has the value `true`. */
function metadataOfTags(tags: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    tags
      .filter(({ length }) => length <= MAX_NAME_LENGTH)
      .map((tag) => {
        const equals = tag.indexOf('=');
        return equals > 0 ? [tag.slice(0, equals), tag.slice(equals + 1)] : [tag, 'true'];
      }),
  );
}

function short(text: string | undefined): string | undefined {
  return text !== undefined && text !== '' && text.length <= MAX_NAME_LENGTH ? text : undefined;
}

/** Where the id and the node stand in an entry of `/v1/health/service`. */
export const healthName = {
  id: (item: unknown): unknown => membersOf(membersOf(item)['Service'])['ID'],
  node: (item: unknown): unknown => membersOf(membersOf(item)['Node'])['Node'],
} as const;

/** The same for `/v1/catalog/service`. */
export const catalogName = {
  id: (item: unknown): unknown => membersOf(item)['ServiceID'],
  node: (item: unknown): unknown => membersOf(item)['Node'],
} as const;
