/** A state of a check. */
export const STATUSES = ['passing', 'warning', 'critical'] as const;
export type Status = (typeof STATUSES)[number];

export function isStatus(text: unknown): text is Status {
  return STATUSES.some((status) => status === text);
}

/** An instance, in the words of `/v1/health/service` (`Service`). */
export interface ServiceRecord {
  readonly ID: string;
  readonly Service: string;
  readonly Tags: readonly string[];
  readonly Address: string;
  readonly Port: number;
  readonly Meta: Readonly<Record<string, string>>;
  readonly Weights: { readonly Passing: number; readonly Warning: number };
  readonly EnableTagOverride: boolean;
  readonly TaggedAddresses: Readonly<Record<string, { readonly Address: string; readonly Port: number }>>;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

/** A check, in the words of `/v1/health/service` (`Checks`). */
export interface CheckRecord {
  readonly Node: string;
  readonly CheckID: string;
  readonly Name: string;
  readonly Status: Status;
  readonly Notes: string;
  readonly Output: string;
  /** Empty for a check of the node. */
  readonly ServiceID: string;
  readonly ServiceName: string;
  readonly ServiceTags: readonly string[];
  readonly Type: string;
  readonly Interval: string;
  readonly Timeout: string;
  readonly Definition: Readonly<Record<string, never>>;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

/** What a registration asks for a check. Times are in milliseconds. */
export interface CheckDefinition {
  readonly checkId: string;
  readonly name: string;
  readonly notes: string;
  readonly status: Status;
  readonly kind: CheckKind;
  /** As the registration says it, for who asks. */
  readonly interval: string;
  readonly timeout: string;
  /** Removes the instance once the check has been critical for longer. */
  readonly deregisterAfterMs: number | undefined;
}

/** Who finds out how an instance is. */
export type CheckKind =
  | { readonly type: 'ttl'; readonly ttlMs: number }
  | { readonly type: 'http'; readonly url: string; readonly intervalMs: number; readonly timeoutMs: number }
  | { readonly type: 'tcp'; readonly address: string; readonly intervalMs: number; readonly timeoutMs: number }
  /** Not run: a test says how it is. */
  | { readonly type: 'grpc' | 'maintenance' | 'other' };

/** An instance with its checks, as it is registered. */
export interface ServiceDefinition {
  readonly service: Omit<ServiceRecord, 'CreateIndex' | 'ModifyIndex'>;
  readonly checks: readonly CheckDefinition[];
}
