import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { Instance, InstanceAddress, InstanceStatus } from '@mesher/core';
import type { WireCheck, WireRegistration } from '../client/wire-model.js';
import { checkOf, NAME_OF_CHECK, ownCheckId } from '../instances/own-check.js';
import { isWholeWeight, writeMeta, type OwnPlace, type WrittenMeta } from '../instances/write-meta.js';

/** How Consul finds out whether the instance is well. */
export interface CheckSettings {
  readonly kind: 'ttl' | 'http' | 'tcp' | 'grpc';
  readonly ttlMs: number;
  /** URL, or a path at the first address, for `http`. */
  readonly url: string | undefined;
  /** `host:port` for `tcp`, with `/service` for `grpc`. */
  readonly address: string | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** 0 for never. */
  readonly deregisterAfterMs: number;
}

export interface RegistrationSettings {
  readonly place: OwnPlace;
  readonly check: CheckSettings;
  readonly tags: readonly string[];
  readonly enableTagOverride: boolean;
  readonly warningWeight: number;
}

/** Consul refuses less, and looks every 30 s only. */
const MIN_DEREGISTER_MS = 60_000;
const MAX_WEIGHT = 65_535;

/** What is registered, and what Consul does not take as it is. */
export interface DescribedRegistration extends Omit<WrittenMeta, 'meta'> {
  readonly registration: WireRegistration;
}

/**
 * The id of an instance without one: service and first address, which no other living process has. A process that was killed and started
 * again takes the place of its own registration.
 */
export function registrationId({ service, instanceId, addresses }: Instance): string {
  if (instanceId !== '') return instanceId;
  const [first] = addresses.values();
  return first === undefined ? `${service}-${randomUUID()}` : `${service}-${hostname()}-${first.host}-${first.port}`;
}

/** The registration as Consul gets it. */
export function describeRegistration(
  self: Instance,
  id: string,
  status: InstanceStatus,
  settings: RegistrationSettings,
): DescribedRegistration {
  const [first] = self.addresses.values();
  const { meta, packed, lost } = writeMeta(self, settings.place);
  return {
    packed,
    lost,
    registration: {
      name: self.service,
      id,
      ...(first === undefined ? {} : { address: first.host, port: first.port }),
      tags: settings.tags,
      meta,
      check: describeCheck(self, id, status, settings.check),
      weights: { Passing: wholeWeight(self.weight), Warning: settings.warningWeight },
      enableTagOverride: settings.enableTagOverride,
    },
  };
}

function describeCheck(self: Instance, id: string, status: InstanceStatus, settings: CheckSettings): WireCheck {
  const { kind, deregisterAfterMs, intervalMs, timeoutMs, ttlMs } = settings;
  const after = Math.max(deregisterAfterMs, MIN_DEREGISTER_MS);
  return {
    checkid: ownCheckId(id),
    name: NAME_OF_CHECK,
    status: checkOf(status).status,
    ...(deregisterAfterMs === 0 ? {} : { deregistercriticalserviceafter: goDuration(after) }),
    ...(kind === 'ttl'
      ? { ttl: goDuration(ttlMs) }
      : { ...target(self, settings), interval: goDuration(intervalMs), timeout: goDuration(timeoutMs) }),
  };
}

function target({ addresses }: Instance, { kind, url, address }: CheckSettings): Partial<WireCheck> {
  const [first] = addresses.values();
  if (kind === 'http') {
    const isWhole = url !== undefined && /^https?:\/\//i.test(url);
    const path = `/${(url ?? '').replace(/^\/+/, '')}`;
    return { http: isWhole ? url : `${first?.tls === true ? 'https' : 'http'}://${hostPort(first)}${path}` };
  }
  if (kind === 'tcp') return { tcp: address ?? hostPort(first) };
  const grpc = addresses.get('grpc') ?? first;
  return { grpc: address ?? hostPort(grpc), ...(grpc?.tls === true ? { grpcusetls: true } : {}) };
}

function hostPort(address: InstanceAddress | undefined): string {
  if (address === undefined) return '';
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Consul takes whole weights from 1 on; the exact one goes into the metadata. */
function wholeWeight(weight: number): number {
  return isWholeWeight(weight) ? weight : Math.min(Math.max(1, Math.round(weight) || 1), MAX_WEIGHT);
}

function goDuration(ms: number): string {
  return `${Math.round(ms)}ms`;
}
