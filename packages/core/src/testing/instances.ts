import { makeInstance, type Instance } from '../registry/instance.js';

/** An instance that speaks HTTP at `address`, `host:port`; `facts` overrides what follows from that. */
export function httpInstance(address: string, facts: Partial<Instance> = {}): Instance {
  return instanceAt({ rest: address }, facts);
}

/** An instance with addresses `host:port` by protocol name. */
export function instanceAt(addresses: Readonly<Record<string, string>>, facts: Partial<Instance> = {}): Instance {
  const entries = Object.entries(addresses).map(([protocol, text]) => {
    const colon = text.lastIndexOf(':');
    const address = { host: text.slice(0, colon), port: Number(text.slice(colon + 1)), tls: false };
    return [protocol, address] as const;
  });
  return makeInstance({
    service: 'world',
    instanceId: Object.values(addresses).join('+'),
    addresses: new Map(entries),
    ...facts,
  });
}
