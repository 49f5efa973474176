import type { Instance, InstanceAddress, InstanceStatus } from '@mesher/core';
import { itemsOf, membersOf, textOf, textsOf } from './wire-model.js';

/** Where instances were found. */
export interface FoundAt {
  /** Under which name Mesher looked for them. */
  readonly service: string;
  readonly app: string;
  /** When the instances do not say themselves. */
  readonly version?: string | undefined;
}

const STATUSES: ReadonlySet<string> = new Set<InstanceStatus>(['UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE']);

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

/** @returns undefined for one without an id */
export function readInstance(
  item: unknown,
  { service, app, version }: FoundAt,
  onProblem: (problem: string) => void,
): Instance | undefined {
  const wire = membersOf(item);
  const instanceId = textOf(wire['instanceId']);
  if (instanceId === undefined) {
    onProblem(`${service}: an instance without instanceId`);
    return undefined;
  }
  const addresses = new Map<string, InstanceAddress>();
  for (const endpoint of itemsOf(wire['endpoints'])) {
    const read = readEndpoint(endpoint);
    if (read === undefined) onProblem(`${service} ${instanceId}: no address: ${String(endpoint).slice(0, 100)}`);
    else if (!addresses.has(read.protocol)) addresses.set(read.protocol, read.address);
  }
  const status = textOf(wire['status']) ?? 'UP';
  return {
    service,
    instanceId,
    app,
    version: textOf(wire['version']) ?? version ?? '0.0.1',
    // A status that nobody knows is none under which calls are welcome.
    status: STATUSES.has(status) ? (status as InstanceStatus) : 'DOWN',
    weight: 1,
    addresses,
    metadata: { ...placeOf(wire['dataCenterInfo']), ...textsOf(wire['properties']) },
  };
}

function placeOf(dataCenter: unknown): Record<string, string> {
  const { region, availableZone } = textsOf(dataCenter);
  return {
    ...(region === undefined || region === '' ? {} : { region }),
    ...(availableZone === undefined || availableZone === '' ? {} : { zone: availableZone }),
  };
}

const ENDPOINT = /^([A-Za-z0-9][\w.+-]*):\/\/(\[[0-9A-Fa-f:.%]+\]|[^\s:/?#[\]]+):(\d{1,5})(?:\/[^?]*)?(?:\?(.*))?$/;

/** `rest://10.0.0.1:8080?sslEnabled=true`: the scheme is the name of the protocol, flags stand in the query. */
export function readEndpoint(text: unknown): { protocol: string; address: InstanceAddress } | undefined {
  const [, protocol, host, digits, query] = typeof text === 'string' ? (ENDPOINT.exec(text.trim()) ?? []) : [];
  const port = Number(digits);
  if (protocol === undefined || host === undefined || !(port >= 1 && port <= 65_535)) return undefined;
  const tls = new URLSearchParams(query ?? '').get('sslEnabled') === 'true';
  return { protocol, address: { host: host.replace(/^\[|\]$/g, ''), port, tls } };
}
