import { Rejection, type AttemptFailure, type CallHandler } from '@mesher/core';
import type { ProxyOptions } from '../options.js';
import type { ProxyHarness, RawPeer, RawUpstream } from './proxy-harness.js';
import type { ProxyRig } from './proxy-rig.js';

/** The answer after a deadline of 250 ms. */
export const LATE: RegExp =
  /^HTTP\/1\.1 504 [^]*x-mesher-error: MESH_ERR_TIMEOUT\r\n[^]*"message":"[^"]*within the deadline of 250 ms/;

/** A proxy that limits its calls, and the upstream behind it. */
export interface LimitedPair {
  readonly upstream: RawUpstream;
  readonly proxy: ProxyHarness;
  /** What the handler was asked about again, in order. */
  readonly failures: AttemptFailure[];
}

/** A proxy whose handler gives each call these limits, and tries again as long as there are attempts left. */
export async function limitedPair(
  rig: ProxyRig,
  limits: { readonly deadline?: number; readonly tryTimeout?: number },
  onConnection?: (peer: RawPeer, index: number) => void,
  handler: Partial<CallHandler> = {},
  options: Partial<ProxyOptions> = {},
): Promise<LimitedPair> {
  const failures: AttemptFailure[] = [];
  const { upstream, proxy } = await rig.pair(onConnection, {
    options,
    handler: {
      ...handler,
      begin: (call) => {
        call.deadlineAt = call.startedAt + (limits.deadline ?? Infinity);
        call.tryTimeout = limits.tryTimeout ?? Infinity;
        return handler.begin === undefined ? proxy.endpoint : handler.begin(call);
      },
      again: (call, failure) => {
        failures.push(failure);
        if (handler.again !== undefined) return handler.again(call, failure);
        return call.attempts < 3 ? proxy.endpoint : new Rejection(failure.code, failure.message);
      },
    },
  });
  return { upstream, proxy, failures };
}
