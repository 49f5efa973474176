import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { KeptSource, OriginalDestinations, transparentDestination, type OriginalDestination } from '../index.js';

/** What {@link main} listens on, as JSON in the first argument. */
interface Wanted {
  /** Ports of an application. */
  readonly servers?: readonly number[];
  /** Ports of name servers, over UDP; what they answer is no DNS. */
  readonly udp?: readonly number[];
  /** The transparent listener. */
  readonly sidecar?: {
    readonly port: number;
    readonly mode: 'redirect' | 'tproxy';
    /** Inbound connections are passed on from the address of their caller. */
    readonly keepsSource?: boolean;
  };
}

/**
 * A program for tests in network namespaces: whoever connects is told on one line of JSON who answers, and what it knows of the
 * connection. Prints `listening` when it does.
 */
async function main({ servers = [], udp = [], sidecar }: Wanted): Promise<void> {
  for (const port of servers) {
    await listen(port, (socket) => ({ by: 'server', to: `${socket.localAddress}|${socket.localPort}` }));
  }
  for (const address of LISTENED) for (const port of udp) await answerDatagrams(port, address);
  if (sidecar !== undefined) await startSidecar(sidecar);
  // It ends with the test that has started it, however that ends.
  process.stdin.resume().once('end', () => process.exit());
  process.stdout.write('listening\n');
}

/**
 * Each address has a socket of its own: an answer leaves from the address that was asked, which is that of loopback when the question
 * was redirected. A socket of all addresses would answer from another one, and conntrack would not know the answer.
 */
const LISTENED = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);

function answerDatagrams(port: number, { address, family, scopeid }: NetworkInterfaceInfo): Promise<void> {
  if (scopeid) return Promise.resolve();
  const server = createSocket(family === 'IPv4' ? 'udp4' : 'udp6');
  server.on('message', (_, from) => server.send(JSON.stringify({ by: port }), from.port, from.address));
  return new Promise((resolve) => server.bind(port, address, resolve));
}

async function startSidecar({ port, mode, keepsSource }: NonNullable<Wanted['sidecar']>): Promise<void> {
  const destinations = OriginalDestinations.load();
  const isOwn = (address: string, to: number): boolean => to === port && ownAddresses().includes(address);
  const find = (socket: Socket): OriginalDestination =>
    mode === 'tproxy' && !isRedirected(socket, port)
      ? transparentDestination(socket, isOwn)
      : destinations.of(socket, isOwn);
  const server = await listen(port, (socket) => {
    const found = find(socket);
    if (!keepsSource || found.kind !== 'intercepted') return { by: 'sidecar', local: socket.localAddress, ...found };
    const source = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    const upstream = KeptSource.load().connect(source, found, { allowHalfOpen: true });
    upstream.on('error', () => socket.destroy());
    upstream.pipe(socket).pipe(upstream);
    return undefined;
  });
  if (mode === 'tproxy') destinations.makeTransparent(server);
}

/** A listener may get connections of both ways: those of REDIRECT have its own port as local port. */
function isRedirected({ localPort }: Socket, port: number): boolean {
  return localPort === port;
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
}

/** @param describe what the caller is told; undefined when it is passed on */
function listen(
  port: number,
  describe: (socket: Socket) => object | undefined,
): Promise<ReturnType<typeof createServer>> {
  const server = createServer((socket) => {
    const { remoteAddress, remotePort } = socket;
    socket.on('error', () => undefined);
    const description = describe(socket);
    if (description === undefined) return;
    socket.end(`${JSON.stringify({ ...description, from: `${remoteAddress}|${remotePort}` })}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '::', backlog: 4096 }, () => resolve(server));
  });
}

await main(JSON.parse(process.argv[2] ?? '{}') as Wanted);
