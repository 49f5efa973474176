import { createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { OriginalDestinations, transparentDestination } from '../index.js';

/** What {@link main} listens on, as JSON in the first argument. */
interface Wanted {
  /** Ports of an application. */
  readonly servers?: readonly number[];
  /** The transparent listener. */
  readonly sidecar?: { readonly port: number; readonly mode: 'redirect' | 'tproxy' };
}

/**
 * A program for tests in network namespaces: whoever connects is told on one line of JSON who answers, and what it knows of the
 * connection. Prints `listening` when it does.
 */
async function main({ servers = [], sidecar }: Wanted): Promise<void> {
  for (const port of servers) {
    await listen(port, (socket) => ({ by: 'server', to: `${socket.localAddress}|${socket.localPort}` }));
  }
  if (sidecar !== undefined) {
    const destinations = OriginalDestinations.load();
    const isOwn = (address: string, port: number): boolean => port === sidecar.port && ownAddresses().includes(address);
    const server = await listen(sidecar.port, (socket) => ({
      by: 'sidecar',
      local: socket.localAddress,
      ...(sidecar.mode === 'tproxy' && !isRedirected(socket, sidecar.port)
        ? transparentDestination(socket, isOwn)
        : destinations.of(socket, isOwn)),
    }));
    if (sidecar.mode === 'tproxy') destinations.makeTransparent(server);
  }
  process.stdout.write('listening\n');
}

/** A listener may get connections of both ways: those of REDIRECT have its own port as local port. */
function isRedirected({ localPort }: Socket, port: number): boolean {
  return localPort === port;
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
}

function listen(port: number, describe: (socket: Socket) => object): Promise<ReturnType<typeof createServer>> {
  const server = createServer((socket) => {
    const { remoteAddress, remotePort } = socket;
    socket.on('error', () => undefined);
    socket.end(`${JSON.stringify({ ...describe(socket), from: `${remoteAddress}|${remotePort}` })}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '::', backlog: 4096 }, () => resolve(server));
  });
}

await main(JSON.parse(process.argv[2] ?? '{}') as Wanted);
