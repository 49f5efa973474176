import { connect } from 'node:net';
import type { RegistryConfig } from '../config/sections/registry.js';
import type { Timers } from '../ports/ports.js';

/** Where a service-center usually listens. */
const SERVICE_CENTER = { host: '127.0.0.1', port: 30_100 };
/** Longer than a local server needs to accept, too short to be noticed at a start. */
const PROBE_MS = 300;

/** Says of itself whose address it is: `consul://127.0.0.1:8500`. */
const CONSUL_ADDRESS = /^consul:\/\//i;

/** An address of a server, not of a folder: a URL, or a host with a port. */
const SERVER_ADDRESS = /^https?:\/\/|^[^/\\]+:\d+$/i;

export interface RegistryChoice {
  /** Name of the registry plugin; undefined when the registry is switched off. */
  readonly type: string | undefined;
  /** Why, for the log. */
  readonly because: string;
  /** What the configuration asks for besides, and does not get. */
  readonly unused?: string;
}

/**
 * Which registry to use: the configured one; without any configuration a service-center if one answers at its usual place, else
 * the file registry, which needs no server.
 * @param isInstalled tells whether there is a registry plugin of a name
 * @param answers tells whether something accepts connections there
 */
export async function chooseRegistry(
  config: RegistryConfig,
  isInstalled: (type: string) => boolean,
  answers: (host: string, port: number) => Promise<boolean>,
): Promise<RegistryChoice> {
  if (config.disabled) return { type: undefined, because: 'servicecomb.registry.disabled is set' };
  const configured = configuredType(config) ?? typeOfAddress(config);
  if (configured !== undefined) return configured;
  const where = `${SERVICE_CENTER.host}:${SERVICE_CENTER.port}`;
  const found = 'servicecomb.registry names neither a type nor an address';
  if (!(await answers(SERVICE_CENTER.host, SERVICE_CENTER.port))) {
    return { type: 'file', because: `${found}, and no service-center answers at ${where}` };
  }
  return isInstalled('servicecenter')
    ? { type: 'servicecenter', because: `${found}, and a service-center answers at ${where}` }
    : {
        type: 'file',
        because: `${found}; something answers at ${where}, but the servicecenter plugin is not installed`,
      };
}

function configuredType(config: RegistryConfig): RegistryChoice | undefined {
  const types: readonly (readonly [key: string, type: string | undefined])[] = [
    ['type', config.type],
    ['serviceDiscovery.type', config.serviceDiscovery.type],
    ['registrator.type', config.registrator.type],
  ];
  const [first, ...others] = types.filter(([, type]) => type !== undefined && type !== '');
  if (first === undefined) return undefined;
  const [key, type] = first;
  const other = others.find(([, another]) => another !== type);
  return {
    type,
    because: `servicecomb.registry.${key} is ${type}`,
    ...(other === undefined
      ? {}
      : { unused: `servicecomb.registry.${other[0]} is ${other[1]}: one registry both registers and discovers` }),
  };
}

/** Where the registry is: the first of the keys that may say so which does; empty when none does. */
export function addressesOf(config: RegistryConfig): readonly string[] {
  return configuredAddresses(config)?.addresses ?? [];
}

function configuredAddresses(config: RegistryConfig): { key: string; addresses: readonly string[] } | undefined {
  return [
    { key: 'address', addresses: config.address ?? [] },
    { key: 'serviceDiscovery.address', addresses: config.serviceDiscovery.address ?? [] },
    { key: 'registrator.address', addresses: config.registrator.address ?? [] },
  ].find(({ addresses }) => addresses[0] !== undefined && addresses[0] !== '');
}

function typeOfAddress(config: RegistryConfig): RegistryChoice | undefined {
  const configured = configuredAddresses(config);
  if (configured === undefined) return undefined;
  const { key, addresses } = configured;
  if (CONSUL_ADDRESS.test(addresses[0] ?? '')) {
    return { type: 'consul', because: `servicecomb.registry.${key} is that of a Consul agent` };
  }
  return SERVER_ADDRESS.test(addresses[0] ?? '')
    ? {
        type: 'servicecenter',
        because: `servicecomb.registry.${key} is that of a server, and servicecenter is the default type of go-chassis`,
      }
    : { type: 'file', because: `servicecomb.registry.${key} is a folder` };
}

/** True when a TCP connection to the address is accepted within 300 ms. */
export function probeTcp(timers: Timers): (host: string, port: number) => Promise<boolean> {
  return (host, port) =>
    new Promise((resolve) => {
      const socket = connect({ host, port });
      const timer = timers.after(PROBE_MS, () => finish(false));
      function finish(answered: boolean): void {
        timer.cancel();
        socket.destroy();
        resolve(answered);
      }
      socket.once('connect', () => finish(true));
      socket.once('error', () => finish(false));
    });
}
