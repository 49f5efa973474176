import { readEndpoint, type Instance, type InstanceAddress, type InstanceStatus } from '@mesher/core';
import { excerptOf, itemsOf, membersOf, textOf, textsOf, UNKNOWN_PLACE } from './wire-model.js';

/** Where instances were found. */
export interface FoundAt {
  /** Under which name Mesher looked for them. */
  readonly service: string;
  readonly app: string;
  /** When the instances do not say themselves. */
  readonly version?: string | undefined;
  /** Tags of a service version, for each of its instances. */
  readonly tagsOf?: ((serviceId: string | undefined) => Readonly<Record<string, string>> | undefined) | undefined;
}

const STATUSES: ReadonlySet<string> = new Set<InstanceStatus>(['UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE']);

/** Longest id and version; service-center itself takes 64 characters. What is longer is none, and would be kept for every instance. */
const MAX_NAME_LENGTH = 256;
/** Most protocols of one instance. */
const MAX_ADDRESSES = 64;
/** Most characters in the properties of one instance; the handbook of service-center advises to stay below 3,000. */
const MAX_METADATA_LENGTH = 65_536;

/**
 * Reads what service-center lists; of an id that occurs twice the last one counts. What makes no sense is left out and told.
 * @param onProblem told of each entry, or address of an entry, that was left out
 */
export function readInstances(list: unknown, at: FoundAt, onProblem: (problem: string) => void): Instance[] {
  const found = new Map<string, Instance>();
  for (const item of itemsOf(list)) {
    const instance = readInstance(item, at, onProblem);
    if (instance !== undefined) found.set(instance.instanceId, instance);
  }
  return [...found.values()];
}

/** @returns undefined for one without an id, or with an id or a version that is none */
export function readInstance(
  item: unknown,
  { service, app, version, tagsOf }: FoundAt,
  onProblem: (problem: string) => void,
): Instance | undefined {
  const wire = membersOf(item);
  const instanceId = textOf(wire['instanceId']);
  if (instanceId === undefined) {
    onProblem(`${service}: an instance without instanceId`);
    return undefined;
  }
  const ofVersion = textOf(wire['version']) ?? version ?? '0.0.1';
  if (instanceId.length > MAX_NAME_LENGTH || ofVersion.length > MAX_NAME_LENGTH) {
    onProblem(`${service} ${excerptOf(instanceId)}: an id or a version of more than ${MAX_NAME_LENGTH} characters`);
    return undefined;
  }
  const tell = (problem: string): void => onProblem(`${service} ${instanceId}: ${problem}`);
  const addresses = readAddresses(wire['endpoints'], tell);
  const status = textOf(wire['status']) ?? 'UP';
  return {
    service,
    instanceId,
    app,
    version: ofVersion,
    // A status that nobody knows is none under which calls are welcome.
    status: STATUSES.has(status) ? (status as InstanceStatus) : 'DOWN',
    weight: 1,
    addresses,
    metadata: {
      ...placeOf(wire['dataCenterInfo']),
      // What an instance says of itself is nearer to it than what is said of all of its version.
      ...tagsOf?.(textOf(wire['serviceId'])),
      ...propertiesOf(wire['properties'], tell),
    },
  };
}

function readAddresses(list: unknown, tell: (problem: string) => void): ReadonlyMap<string, InstanceAddress> {
  const addresses = new Map<string, InstanceAddress>();
  for (const endpoint of itemsOf(list)) {
    const read = readEndpoint(endpoint);
    if (read === undefined) {
      tell(`no address: ${excerptOf(endpoint)}`);
    } else if (!addresses.has(read.protocol)) {
      if (addresses.size === MAX_ADDRESSES) {
        tell(`more than ${MAX_ADDRESSES} addresses; the others are left out`);
        return addresses;
      }
      addresses.set(read.protocol, read.address);
    }
  }
  return addresses;
}

function propertiesOf(properties: unknown, tell: (problem: string) => void): Record<string, string> {
  const texts = textsOf(properties);
  let length = 0;
  for (const [name, value] of Object.entries(texts)) length += name.length + value.length;
  if (length <= MAX_METADATA_LENGTH) return texts;
  tell(`properties of ${length} characters, which are left out: more than ${MAX_METADATA_LENGTH}`);
  return {};
}

function placeOf(dataCenter: unknown): Record<string, string> {
  const { region, availableZone } = textsOf(dataCenter);
  return {
    ...(isPlace(region) ? { region } : {}),
    ...(isPlace(availableZone) ? { zone: availableZone } : {}),
  };
}

function isPlace(text: string | undefined): text is string {
  return text !== undefined && text !== '' && text !== UNKNOWN_PLACE;
}
