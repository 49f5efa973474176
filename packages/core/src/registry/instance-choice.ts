import type { CallProtocol } from '../invocation.js';
import type { Instance, InstanceAddress } from './instance.js';

/**
 * Names of addresses that serve a protocol, best first. `rest` is what go-chassis calls HTTP; `*` is an address of which nothing
 * is known but that it is there.
 */
const ADDRESS_NAMES: Readonly<Record<CallProtocol, readonly string[]>> = {
  http: ['rest', 'http', '*'],
  grpc: ['grpc', '*'],
  tcp: ['tcp', '*', 'rest', 'http', 'grpc'],
};

/** Why an instance is not among the candidates. */
export type LeftOut =
  | 'status'
  | 'weight'
  /** It has no address for the protocol. */
  | 'protocol'
  /** Its address for the protocol wants TLS, which Mesher does not speak to instances yet. */
  | 'tls';

/** Undefined when the instance takes calls of the protocol. */
export function whyLeftOut(instance: Instance, protocol: CallProtocol): LeftOut | undefined {
  if (instance.status !== 'UP' && instance.status !== 'TESTING') return 'status';
  // Neither 0 nor what is no number at all: a balancer would never come to the others again.
  if (!(instance.weight > 0 && Number.isFinite(instance.weight))) return 'weight';
  const address = addressFor(instance, protocol);
  if (address === undefined) return 'protocol';
  // Bytes of a connection that is not HTTP are passed on as they are, TLS included.
  return address.tls && protocol !== 'tcp' ? 'tls' : undefined;
}

/** The address that serves the protocol best; undefined when none does. */
export function addressFor(instance: Instance, protocol: CallProtocol): InstanceAddress | undefined {
  for (const name of ADDRESS_NAMES[protocol]) {
    const address = instance.addresses.get(name);
    if (address !== undefined) return address;
  }
  return undefined;
}
