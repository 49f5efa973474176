import type { FaultConfig } from '../../config/sections/governance.js';
import { parseGrpcStatus } from '../../grpc/status.js';
import type { CallProtocol } from '../../invocation.js';

/** The values that say what is injected; each comes from a level of its own. */
export interface FaultValues {
  readonly delayPercent: number;
  /** Milliseconds. */
  readonly delayMs: number;
  readonly abortPercent: number;
  readonly abortStatus: number;
  /** gRPC status of aborted gRPC calls; 0 for what follows from {@link abortStatus}. */
  readonly abortGrpcStatus: number;
}

export const FAULT_KEYS = ['delayPercent', 'delayMs', 'abortPercent', 'abortStatus', 'abortGrpcStatus'] as const;
export type FaultKey = (typeof FAULT_KEYS)[number];

/** What one level sets for a protocol; 0 stands for "not set", as in go-chassis. */
export function valuesOf(fault: FaultConfig, protocol: CallProtocol): FaultValues {
  const { rest, http, grpc, tcp } = fault.protocols;
  // `http` is another name of what go-chassis calls rest.
  const [first, second] = protocol === 'http' ? [rest, http] : protocol === 'grpc' ? [grpc, grpc] : [tcp, tcp];
  return {
    delayPercent: first.delay.percent || second.delay.percent || 0,
    delayMs: first.delay.fixedDelay || second.delay.fixedDelay || 0,
    abortPercent: first.abort.percent || second.abort.percent || 0,
    abortStatus: first.abort.httpStatus || second.abort.httpStatus || 0,
    abortGrpcStatus: protocol === 'grpc' ? (parseGrpcStatus(grpc.abort.grpcStatus ?? '0') ?? 0) : 0,
  };
}

/** True when a level sets nothing for a protocol. */
export function isNothing(values: FaultValues): boolean {
  return FAULT_KEYS.every((key) => values[key] === 0);
}

/** Each value from the first level that sets it, and which level that was; -1 where none does. */
export function resolveValues(levels: readonly FaultValues[]): {
  readonly values: FaultValues;
  readonly from: Readonly<Record<FaultKey, number>>;
} {
  const winner = (key: FaultKey): number => levels.findIndex((level) => level[key] !== 0);
  const value = (key: FaultKey): number => levels[winner(key)]?.[key] ?? 0;
  return {
    values: {
      delayPercent: value('delayPercent'),
      delayMs: value('delayMs'),
      abortPercent: value('abortPercent'),
      abortStatus: value('abortStatus'),
      abortGrpcStatus: value('abortGrpcStatus'),
    },
    from: {
      delayPercent: winner('delayPercent'),
      delayMs: winner('delayMs'),
      abortPercent: winner('abortPercent'),
      abortStatus: winner('abortStatus'),
      abortGrpcStatus: winner('abortGrpcStatus'),
    },
  };
}
