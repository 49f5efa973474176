import type { Instance, InstanceAddress, InstanceStatus } from '@mesher/core';
import { encodeFileName } from '../service-name.js';

/** Subfolder of the root that holds the registrations; its leading dot keeps it apart from the hand-written files. */
export const REGISTRATIONS_FOLDER = '.instances';
export const REGISTRATION_SUFFIX = '.json';
/** A registration takes about 500 bytes; one as large as this is none. */
export const MAX_REGISTRATION_BYTES = 64 * 1024;
/** Raised when a reader of the old format would misunderstand the new one. */
const FORMAT = 1;
const STATUSES: readonly InstanceStatus[] = ['UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE'];
/** A lease beyond a day would keep a dead instance for longer than anybody wants. */
const MAX_LEASE_SECONDS = 86_400;

/** What one registration file says. */
export interface RegistrationRecord {
  readonly instance: Instance;
  readonly leaseMs: number;
  /** Which process wrote it; tells two processes apart that use the same instanceId. */
  readonly owner: string;
}

/** The file's text, with keys in a fixed order and a line of its own for each, so that it reads well in a terminal. */
export function formatRegistration({ instance, leaseMs, owner }: RegistrationRecord): string {
  const { service, app, version, instanceId, status, weight, metadata, addresses } = instance;
  const leaseSeconds = leaseMs / 1000;
  const endpoints = Object.fromEntries(addresses);
  const record = { format: FORMAT, service, app, version, instanceId, status, weight, leaseSeconds, owner, endpoints };
  return `${JSON.stringify({ ...record, metadata }, undefined, 2)}\n`;
}

/**
 * Reads a registration file.
 * @returns what is wrong with it, as text, when it is not a registration of `service` and `instanceId`
 */
export function parseRegistration(text: string, service: string, instanceId: string): RegistrationRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'is no JSON (cut off?)';
  }
  if (!isObject(value)) return 'is no JSON object';
  if (value['format'] !== FORMAT)
    return `has format ${JSON.stringify(value['format'])}, expected ${FORMAT}; mind the versions of Mesher`;
  if (value['service'] !== service) return 'names another service than its folder does';
  if (value['instanceId'] !== instanceId) return 'names another instanceId than its file name does';
  const { app, version, status, weight, leaseSeconds, owner, endpoints, metadata } = value;
  if (typeof app !== 'string' || typeof version !== 'string') return 'needs app and version as texts';
  if (!isStatus(status)) return `has status ${JSON.stringify(status)}, expected one of ${STATUSES.join(', ')}`;
  if (typeof weight !== 'number' || !(weight >= 0)) return 'needs a weight from 0 up';
  if (typeof leaseSeconds !== 'number' || !(leaseSeconds > 0 && leaseSeconds <= MAX_LEASE_SECONDS)) {
    return `needs leaseSeconds above 0 and up to ${MAX_LEASE_SECONDS}`;
  }
  if (!isObject(endpoints)) return 'needs endpoints by protocol';
  const addresses = new Map<string, InstanceAddress>();
  for (const [protocol, entry] of Object.entries(endpoints)) {
    const address = parseAddress(entry);
    if (address === undefined)
      return `has an endpoint ${JSON.stringify(protocol)} without host or with a port out of 1..65535`;
    addresses.set(protocol, address);
  }
  if (!isObject(metadata) || !Object.values(metadata).every((entry) => typeof entry === 'string')) {
    return 'needs metadata whose values are texts';
  }
  const instance: Instance = {
    ...{ service, instanceId, app, version, status, weight, addresses },
    metadata: metadata as Record<string, string>,
  };
  return { instance, leaseMs: leaseSeconds * 1000, owner: typeof owner === 'string' ? owner : '' };
}

/** Folder and file name of a registration below {@link REGISTRATIONS_FOLDER}; undefined when the names cannot be files. */
export function registrationNames(
  service: string,
  instanceId: string,
): { readonly folder: string; readonly file: string } | undefined {
  const folder = encodeFileName(service);
  const file = encodeFileName(instanceId, REGISTRATION_SUFFIX);
  return folder === undefined || file === undefined ? undefined : { folder, file };
}

function parseAddress(value: unknown): InstanceAddress | undefined {
  if (!isObject(value)) return undefined;
  const { host, port, tls } = value;
  if (typeof host !== 'string' || host === '') return undefined;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { host, port, tls: tls === true };
}

function isStatus(value: unknown): value is InstanceStatus {
  return STATUSES.some((status) => status === value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
