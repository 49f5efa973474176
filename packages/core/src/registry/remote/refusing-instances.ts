import { connect } from 'node:net';
import type { Timers } from '../../ports/ports.js';
import type { Instance } from '../instance.js';

/** Connections that are tried at once: a thousand instances that vanished must not take all file descriptors. */
const AT_ONCE = 32;

/**
 * Finds out which of the instances refuse connections, or do not answer in time; one without an address does.
 * @param timeoutMs for each
 */
export async function findRefusing(
  instances: readonly Instance[],
  timeoutMs: number,
  timers: Timers,
): Promise<readonly Instance[]> {
  const refusing: Instance[] = [];
  const rest = [...instances];
  const work = async (): Promise<void> => {
    for (let instance = rest.pop(); instance !== undefined; instance = rest.pop()) {
      const [address] = instance.addresses.values();
      const accepts =
        address !== undefined && (await acceptsConnections(address.host, address.port, timeoutMs, timers));
      if (!accepts) refusing.push(instance);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, instances.length) }, work));
  return refusing;
}

function acceptsConnections(host: string, port: number, timeoutMs: number, timers: Timers): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (accepts: boolean): void => {
      timer.cancel();
      socket.destroy();
      resolve(accepts);
    };
    const timer = timers.after(timeoutMs, () => finish(false));
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
