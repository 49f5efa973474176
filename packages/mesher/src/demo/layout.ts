import { networkInterfaces } from 'node:os';
import { choosePort, isFree, type PortChoice } from './free-ports.js';

/** Where everything of the demo listens. */
export interface DemoLayout {
  readonly hello: ServiceLayout;
  readonly world: ServiceLayout;
  /** Default ports that were taken, with what is used instead. */
  readonly moved: readonly string[];
}

export interface ServiceLayout {
  readonly name: string;
  /** Port of the service itself. */
  readonly appPort: number;
  /** Address of the sidecar for calls to the service. */
  readonly inboundHost: string;
  /** Port of the sidecar, outbound (127.0.0.1) and inbound alike. */
  readonly meshPort: number;
  readonly adminPort: number;
}

/** The usual ports first; whatever is taken moves to the next free one. */
export async function planLayout(): Promise<DemoLayout> {
  const used = new Set<number>();
  const moved: string[] = [];
  const choose = async (what: string, hosts: readonly string[], wanted: number): Promise<number> => {
    const choice: PortChoice = await choosePort(hosts, wanted, used);
    if (choice.taken !== undefined) moved.push(`port ${choice.taken} is taken: ${what} uses ${choice.port}`);
    return choice.port;
  };
  const plan = async (name: string, appPort: number, loopback: string, meshPort: number): Promise<ServiceLayout> => {
    const inboundHost = await inboundHostFor(loopback, meshPort);
    return {
      name,
      appPort: await choose(`the service ${name}`, ['127.0.0.1'], appPort),
      inboundHost,
      meshPort: await choose(`the sidecar of ${name}`, ['127.0.0.1', inboundHost], meshPort),
      adminPort: await choose(`the admin port of ${name}'s sidecar`, ['127.0.0.1'], meshPort + 1),
    };
  };
  return {
    hello: await plan('hello', 8081, '127.0.0.2', 30_101),
    world: await plan('world', 8082, '127.0.0.3', 30_111),
    moved,
  };
}

/**
 * An address that is not 127.0.0.1, so that a sidecar listens on it for inbound calls. On Linux all of 127.0.0.0/8 is there; elsewhere
 * the address of the machine has to do.
 */
async function inboundHostFor(loopback: string, port: number): Promise<string> {
  if ((await isFree(loopback, port)) || (await isFree(loopback, 0))) return loopback;
  const external = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => address.family === 'IPv4' && !address.internal);
  if (external === undefined)
    throw new Error('this machine has no address besides 127.0.0.1 on which the sidecars could meet');
  return external.address;
}
