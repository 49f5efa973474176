import { connect } from 'node:net';
import type { RegistryConfig } from '../config/sections/registry.js';
import type { Timers } from '../ports/ports.js';

/** Where a service-center usually listens. */
const SERVICE_CENTER = { host: '127.0.0.1', port: 30_100 };
/** Longer than a local server needs to accept, too short to be noticed at a start. */
const PROBE_MS = 300;

export interface RegistryChoice {
  /** Name of the registry plugin; undefined when the registry is switched off. */
  readonly type: string | undefined;
  /** Why, for the log. */
  readonly because: string;
}

/**
 * Which registry to use: the configured one; without any configuration a service-center if one answers at its usual place, else
 * the file registry, which needs no server.
 * @param isInstalled tells whether there is a registry plugin of a name
 * @param answers tells whether something accepts connections there
 */
export async function chooseRegistry(
  config: RegistryConfig,
  isConfigured: boolean,
  isInstalled: (type: string) => boolean,
  answers: (host: string, port: number) => Promise<boolean>,
): Promise<RegistryChoice> {
  if (config.disabled) return { type: undefined, because: 'servicecomb.registry.disabled is set' };
  const type = config.type ?? config.serviceDiscovery.type ?? config.registrator.type;
  if (type !== undefined) return { type, because: `servicecomb.registry.type is ${type}` };
  if (isConfigured && config.address !== undefined && config.address.length > 0) {
    const isFolder = !/^https?:/i.test(config.address[0] ?? '');
    return isFolder
      ? { type: 'file', because: `servicecomb.registry.address is a folder` }
      : {
          type: 'servicecenter',
          because: 'servicecomb.registry.address is a URL, and servicecenter is the default type of go-chassis',
        };
  }
  const where = `${SERVICE_CENTER.host}:${SERVICE_CENTER.port}`;
  if (!(await answers(SERVICE_CENTER.host, SERVICE_CENTER.port))) {
    return { type: 'file', because: `no registry is configured and no service-center answers at ${where}` };
  }
  return isInstalled('servicecenter')
    ? { type: 'servicecenter', because: `no registry is configured and a service-center answers at ${where}` }
    : {
        type: 'file',
        because: `no registry is configured; something answers at ${where}, but the servicecenter plugin is not installed`,
      };
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
