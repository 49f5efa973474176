import { fileURLToPath } from 'node:url';
import type { CommandOutcome, NamespaceCommand, NetworkNamespace, RunAs } from './network-namespaces.js';
import { MESHER_BIN } from './sidecar.js';
import type { SpawnedProcess } from './spawned-process.js';

const ANSWERING = fileURLToPath(
  new URL('../../../packages/intercept/dist/testing/answering-program.js', import.meta.url),
);

/** Who answered a connection, and what it knows of it. */
export interface Answer {
  readonly by: 'server' | 'sidecar' | 'nobody';
  /** Of the sidecar: what it made of the connection. */
  readonly kind?: string;
  readonly address?: string;
  readonly port?: number;
  /** Local address of the sidecar's end. */
  readonly local?: string;
  /** Address and port that it sees as the caller's. */
  readonly from?: string;
  /** Of a server: the address and port that were called. */
  readonly to?: string;
  readonly error?: string;
}

export type Target = readonly [address: string, port: number];

/** An ordinary user, as whom the application runs. */
export const APPLICATION: RunAs = { uid: 2000, gid: 2000 };
export const TRANSPARENT_PORT = 14956;

/** Connects to each target, no more than 50 at a time, and prints on a line each what it was told. */
const CLIENT = `
const { connect } = require('node:net');
const targets = JSON.parse(process.argv[1]);
const answers = [];
const call = ([host, port]) => new Promise((resolve) => {
  let text = '';
  const socket = connect({ host, port });
  socket.setTimeout(5000, () => socket.destroy(Object.assign(new Error(), { code: 'TIMEOUT' })));
  socket.setEncoding('utf8').on('data', (more) => (text += more));
  socket.on('error', (error) => resolve(JSON.stringify({ by: 'nobody', error: error.code })));
  socket.on('close', () => resolve(text.trim() || '{"by":"nobody","error":"EMPTY"}'));
});
let next = 0;
const worker = async () => { while (next < targets.length) { const index = next++; answers[index] = await call(targets[index]); } };
Promise.all(Array.from({ length: 50 }, worker)).then(() => process.stdout.write(answers.join('\\n')));
`;

/** Connects from a host, as the application unless said otherwise. */
export async function callAll(
  from: NetworkNamespace,
  targets: readonly Target[],
  as: RunAs = APPLICATION,
): Promise<Answer[]> {
  const printed = await from.must(process.execPath, ['-e', CLIENT, JSON.stringify(targets)], { as });
  return printed.split('\n').map((line) => JSON.parse(line) as Answer);
}

export async function callOne(from: NetworkNamespace, target: Target, as?: RunAs): Promise<Answer> {
  const [answer] = await callAll(from, [target], as);
  return answer ?? { by: 'nobody' };
}

/** `server`, `sidecar 10.0.0.1|80`, `sidecar own-listener`: what matters of an answer, to be compared in one line. */
export function summary({ by, kind, address, port, error }: Answer): string {
  if (by === 'nobody') return `nobody ${error}`;
  if (by === 'server') return 'server';
  return kind === 'intercepted' ? `sidecar ${address}|${port}` : `sidecar ${kind}`;
}

/** Asks a name server over UDP. @returns the port of who answers */
export async function askOverUdp(from: NetworkNamespace, server: string, as: RunAs = APPLICATION): Promise<number> {
  const script = `
    const [server] = process.argv.slice(1);
    const socket = require('node:dgram').createSocket(server.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', (text) => { process.stdout.write(text); process.exit(); });
    // Connected, so that an answer from another address than the one asked would not be taken.
    socket.connect(53, server, () => socket.send('?'));
    setTimeout(() => process.exit(3), 2000);`;
  const { by } = JSON.parse(await from.must(process.execPath, ['-e', script, server], { as })) as { by: number };
  return by;
}

/** Starts what answers on a host: servers of the application, and a transparent listener in the place of the sidecar. */
export async function startAnswering(
  on: NetworkNamespace,
  wanted: {
    readonly servers?: readonly number[];
    readonly udp?: readonly number[];
    readonly sidecar?: { readonly mode: 'redirect' | 'tproxy'; readonly keepsSource?: boolean };
  },
  as?: RunAs,
): Promise<SpawnedProcess> {
  const sidecar = wanted.sidecar === undefined ? {} : { sidecar: { ...wanted.sidecar, port: TRANSPARENT_PORT } };
  const argument = JSON.stringify({ ...wanted, ...sidecar });
  const child = on.spawn(process.execPath, [ANSWERING, argument], as === undefined ? {} : { as });
  await child.untilPrinted(/^listening$/m);
  return child;
}

/** `mesher intercept` in a namespace. */
export async function intercept(
  on: NetworkNamespace,
  args: readonly string[],
  command: NamespaceCommand = {},
): Promise<CommandOutcome> {
  return await on.run(process.execPath, [MESHER_BIN, 'intercept', ...args], command);
}

/** The rules of a backend without what changes by itself. */
export async function rulesOf(on: NetworkNamespace, backend: string): Promise<string> {
  if (backend === 'nft') return await on.must('nft', ['list', 'ruleset']);
  const texts = [await on.must(`${backend}-save`, []), await on.must(`${backend.replace('ip', 'ip6')}-save`, [])];
  return texts
    .join('')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/ \[\d+:\d+\]$/gm, '');
}

/** Routes and rules of routing, of both families. */
export async function routingOf(on: NetworkNamespace): Promise<string> {
  const all = ['rule show', 'route show table all'].flatMap((what) => [`-4 ${what}`, `-6 ${what}`]);
  const texts: string[] = [];
  for (const args of all) texts.push(await on.must('ip', args.split(' ')));
  return texts.join('');
}
