import type { InstanceStatus } from '@mesher/core';

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

/** The members of a JSON object; none for anything else. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

/** The items of a JSON list; none for anything else, null included. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** A text that is not empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The members of an object that are texts. */
export function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(membersOf(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
