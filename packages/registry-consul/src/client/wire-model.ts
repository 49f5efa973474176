/** States of a check. */
export type CheckStatus = 'passing' | 'warning' | 'critical';

/** A check that goes along with a registration, as npm `consul` takes it. */
export interface WireCheck {
  readonly checkid: string;
  readonly name: string;
  readonly notes?: string;
  readonly status: CheckStatus;
  readonly ttl?: string;
  readonly http?: string;
  readonly tcp?: string;
  readonly grpc?: string;
  readonly grpcusetls?: boolean;
  readonly tlsskipverify?: boolean;
  readonly interval?: string;
  readonly timeout?: string;
  readonly deregistercriticalserviceafter?: string;
}

/** A registration at an agent, as npm `consul` takes it; the last two it does not know. */
export interface WireRegistration {
  readonly name: string;
  readonly id: string;
  readonly address?: string;
  readonly port?: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly check: WireCheck;
  readonly weights: { readonly Passing: number; readonly Warning: number };
  readonly enableTagOverride: boolean;
}
