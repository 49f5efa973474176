import type { CallHandler, Invocation } from '@mesher/core';
import type { TransparentRoute } from '../transparent/transparent-spec.js';
import type {
  ProxyHarness,
  ProxyHarnessOptions,
  RawClient,
  RawPeer,
  RawUpstream,
  RecordedOutcome,
} from './proxy-harness.js';
import { useProxyRig, type ProxyRig } from './proxy-rig.js';

/** Field that the observer of these tests adds to each request; its value is the path. */
export const NOTE = 'x-note';

/** A head as the observer lets it go on. */
export function noted(head: string): string {
  const path = head.split(' ')[1] ?? '';
  return `${head.slice(0, -2)}${NOTE}: ${path}\r\n\r\n`;
}

export interface ObservedScene {
  readonly proxy: ProxyHarness;
  readonly upstream: RawUpstream;
  readonly client: RawClient;
  /** The other end of the client's connection. */
  readonly peer: RawPeer;
  /** How the requests ended so far. */
  requests(): RecordedOutcome[];
  /** The same once there are so many. */
  awaitRequests(count: number): Promise<RecordedOutcome[]>;
}

export interface ObservedSettings extends Pick<ProxyHarnessOptions, 'options' | 'logger'> {
  readonly handler?: Partial<CallHandler>;
  readonly route?: Partial<TransparentRoute>;
}

/** A client and a server with a transparent listener between them that only observes. */
export class ObservedRig {
  constructor(private readonly rig: () => ProxyRig) {}

  static use(): ObservedRig {
    return new ObservedRig(useProxyRig());
  }

  get proxies(): ProxyRig {
    return this.rig();
  }

  /** @param port where connections were going */
  async listen(port: number, settings: ObservedSettings = {}): Promise<ProxyHarness> {
    const { handler: custom, logger, options, route } = settings;
    return await this.rig().proxy({
      upstreamPort: port,
      ...(logger === undefined ? {} : { logger }),
      ...(options === undefined ? {} : { options }),
      ...(custom === undefined ? {} : { handler: custom }),
      transparent: (handler) => ({
        find: () => ({ kind: 'intercepted', address: '127.0.0.1', port }),
        isOwnAddress: () => false,
        opaquePorts: new Set(),
        httpPorts: new Set(),
        route: () => ({ handler, verdict: 'passed', observed: noting(handler), ...route }),
      }),
    });
  }

  async scene(settings: ObservedSettings = {}): Promise<ObservedScene> {
    const upstream = await this.rig().upstream();
    const proxy = await this.listen(upstream.port, settings);
    const client = await this.rig().connect(proxy);
    const peer = await upstream.awaitConnection();
    return { proxy, upstream, client, peer, ...requestsOf(proxy) };
  }
}

/** Calls that are requests: not the connection that turned out to hold them. */
export function requestsOf(proxy: ProxyHarness): Pick<ObservedScene, 'requests' | 'awaitRequests'> {
  const requests = (): RecordedOutcome[] => proxy.outcomes.filter(({ method }) => method !== '');
  return {
    requests,
    async awaitRequests(count) {
      while (requests().length < count) await proxy.awaitOutcomes(proxy.outcomes.length + 1);
      return requests();
    },
  };
}

function noting(handler: CallHandler): CallHandler {
  return {
    ...handler,
    begin: (call: Invocation) => {
      call.setHeader(NOTE, call.path);
      return handler.begin(call);
    },
  };
}
