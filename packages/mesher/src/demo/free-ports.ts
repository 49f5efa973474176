import { createServer } from 'node:net';

/** Ports tried after the wanted one before giving up. */
const MAX_TRIES = 50;

export interface PortChoice {
  readonly port: number;
  /** The wanted port, when it was taken. */
  readonly taken: number | undefined;
}

/** True when nothing listens on the address yet. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * The wanted port, or the next one that is free on all `hosts` and not in `used` (to which the result is added).
 * @throws Error when fifty ports in a row are taken
 */
export async function choosePort(hosts: readonly string[], wanted: number, used: Set<number>): Promise<PortChoice> {
  for (let port = wanted; port < wanted + MAX_TRIES; port++) {
    if (used.has(port)) continue;
    const free = await Promise.all(hosts.map((host) => isFree(host, port)));
    if (!free.every(Boolean)) continue;
    used.add(port);
    return { port, taken: port === wanted ? undefined : wanted };
  }
  throw new Error(`the ports ${wanted} to ${wanted + MAX_TRIES - 1} are all taken`);
}
