import type { CallProtocol } from '../invocation.js';
import type { EndpointProtocol } from './endpoint.js';
import type { Instance, InstanceAddress } from './instance.js';

/**
 * Names of addresses that serve a protocol, best first. `rest` is what go-chassis calls HTTP; `h2c` is HTTP/2 without TLS; `*` is an
 * address of which nothing is known but that it is there. HTTP calls reach an instance that speaks only HTTP/2, translated; a call of
 * gRPC has no translation to HTTP/1, so it never takes an address that promises no more than that.
 */
const ADDRESS_NAMES: Readonly<Record<CallProtocol, readonly string[]>> = {
  http: ['rest', 'http', '*', 'h2c', 'grpc'],
  grpc: ['grpc', 'h2c', '*'],
  tcp: ['tcp', '*', 'rest', 'http', 'grpc', 'h2c'],
};

/** What names of addresses, and of declared ports, say about who listens there. */
const SPEAKS: Readonly<Record<string, EndpointProtocol>> = {
  rest: 'http1',
  http: 'http1',
  grpc: 'http2',
  h2c: 'http2',
};

/** An address of an instance under one of its names. */
export interface ChosenAddress extends InstanceAddress {
  /** Name of the protocol under which the registry lists it. */
  readonly name: string;
  readonly speaks: EndpointProtocol;
}

/** What the name of a protocol (`rest`, `grpc`, `grpc-admin`, `*`) says about who listens there. */
export function spokenAt(name: string): EndpointProtocol {
  const hyphen = name.indexOf('-');
  return SPEAKS[hyphen === -1 ? name : name.slice(0, hyphen)] ?? 'any';
}

/** The calls for which an address of that name is listed first of all. */
export function protocolOfAddress(name: string): CallProtocol {
  return spokenAt(name) === 'http2' ? 'grpc' : 'http';
}

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
  const chosen = chooseAddress(instance, protocol);
  return typeof chosen === 'string' ? chosen : undefined;
}

/** The address to which calls of the protocol go, or why none do. */
export function chooseAddress(instance: Instance, protocol: CallProtocol): ChosenAddress | LeftOut {
  if (instance.status !== 'UP' && instance.status !== 'TESTING') return 'status';
  // Neither 0 nor what is no number at all: a balancer would never come to the others again.
  if (!(instance.weight > 0 && Number.isFinite(instance.weight))) return 'weight';
  const address = addressFor(instance, protocol);
  if (address === undefined) return 'protocol';
  // Bytes of a connection that is not HTTP are passed on as they are, TLS included.
  return address.tls && protocol !== 'tcp' ? 'tls' : address;
}

/** The address that serves the protocol best; undefined when none does. */
export function addressFor({ addresses }: Instance, protocol: CallProtocol): ChosenAddress | undefined {
  for (const name of ADDRESS_NAMES[protocol]) {
    const address = addresses.get(name);
    if (address === undefined) continue;
    const { host, port, tls } = address;
    return { host, port, tls, name, speaks: spokenAt(name) };
  }
  return undefined;
}
