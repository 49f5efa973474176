import { Endpoint, Rejection, type AttemptFailure, type CallHandler, type Invocation } from '@mesher/core';
import type { ProxyOptions } from '../options.js';
import type { ProxyHarness, RawPeer, RawUpstream } from './proxy-harness.js';
import type { ProxyRig } from './proxy-rig.js';

/** Milliseconds after which {@link hedgedPair} asks for a second attempt. */
export const HEDGE_AFTER = 100;
/** Passes the time of a hedge, and not that of anything else. */
export const HEDGED: number = HEDGE_AFTER + 50;

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** A proxy that hedges its calls, and two upstreams: the second one is asked beside the first. */
export interface HedgedPair {
  readonly proxy: ProxyHarness;
  readonly one: RawUpstream;
  readonly two: RawUpstream;
  /** What the handler was told and asked, in order. */
  readonly told: string[];
}

/** A slow first endpoint, and a second one beside it. */
export async function hedgedPair(
  rig: ProxyRig,
  settings: {
    readonly handler?: Partial<CallHandler>;
    readonly options?: Partial<ProxyOptions>;
    /** Called while the decision about a call is made. */
    readonly onBegin?: () => void;
    readonly tryTimeout?: number;
    readonly deadline?: number;
    readonly first?: (peer: RawPeer, index: number) => void;
    readonly second?: (peer: RawPeer, index: number) => void;
  } = {},
): Promise<HedgedPair> {
  const [one, two] = [await rig.upstream(settings.first), await rig.upstream(settings.second)];
  const names = new Map<number, string>([
    [one.port, 'one'],
    [two.port, 'two'],
  ]);
  const name = (endpoint: Endpoint | undefined): string => names.get(endpoint?.port ?? 0) ?? '?';
  const told: string[] = [];
  const other = new Endpoint('127.0.0.1', two.port, undefined);
  const proxy = await rig.proxy({
    upstreamPort: one.port,
    ...(settings.options === undefined ? {} : { options: settings.options }),
    handler: {
      ...settings.handler,
      begin: (call: Invocation) => {
        settings.onBegin?.();
        call.hedgeAfter = HEDGE_AFTER;
        call.tryTimeout = settings.tryTimeout ?? Infinity;
        call.deadlineAt = call.startedAt + (settings.deadline ?? Infinity);
        return proxy.endpoint;
      },
      again: (call, failure) => {
        told.push(`again ${name(call.endpoint)} ${failure.code}`);
        return settings.handler?.again?.(call, failure) ?? new Rejection(failure.code, failure.message);
      },
      hedge: (call) => {
        told.push('hedge');
        return settings.handler?.hedge === undefined ? other : settings.handler.hedge(call);
      },
      lost: (call: Invocation, endpoint: Endpoint, failure: AttemptFailure | undefined) =>
        void told.push(`lost ${name(endpoint)} ${failure?.code ?? 'race'}, left ${name(call.endpoint)}`),
    },
  });
  return { proxy, one, two, told };
}

/** Sends a request and waits until both attempts are under way. */
export async function sendBoth(
  rig: ProxyRig,
  { proxy, one, two }: HedgedPair,
  request = GET,
  end = '\r\n\r\n',
): Promise<[RawPeer, RawPeer, RawPeer]> {
  const client = await rig.send(proxy, request);
  const first = await one.awaitConnection();
  await first.readUntil(end);
  rig.time.advance(HEDGED);
  const second = await two.awaitConnection();
  await second.readUntil(end);
  return [client, first, second];
}
