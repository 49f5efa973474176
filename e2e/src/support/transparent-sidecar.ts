import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findSamples, parsePrometheusText } from '@mesher/core/testing';
import { APPLICATION, intercept } from './intercepted-calls.js';
import type { NetworkNamespace, RunAs } from './network-namespaces.js';
import { MESHER_BIN, type Settings } from './sidecar.js';
import type { SpawnedProcess } from './spawned-process.js';

const APP = fileURLToPath(new URL('../programs/unaware-app-main.js', import.meta.url));
/** Whom the rules leave alone. */
const SIDECAR = { uid: 1337, gid: 1337 };
const ADMIN = 'http://127.0.0.1:30102';

export interface TransparentOptions {
  readonly service: string;
  /** A folder that everybody may read, for configuration and registry. */
  readonly folder: string;
  readonly mesher?: Settings;
  readonly chassis?: Settings;
  readonly env?: Readonly<Record<string, string>>;
  /** Further flags of `mesher intercept apply`. */
  readonly apply?: readonly string[];
  /** User and group of the sidecar, of which the rules leave one alone. */
  readonly as?: RunAs;
}

/** `mesher --mode=transparent` on a host, with the rules that bring it connections. */
export class TransparentSidecar {
  private constructor(
    private readonly host: NetworkNamespace,
    readonly process: SpawnedProcess,
  ) {}

  static async start(host: NetworkNamespace, options: TransparentOptions): Promise<TransparentSidecar> {
    const { as = SIDECAR, chassis = {}, env = {}, folder, mesher = {}, service } = options;
    const confDir = join(folder, `conf-${host.name}-${service}`);
    await mkdir(confDir, { recursive: true });
    await writeFile(join(confDir, 'chassis.yaml'), JSON.stringify(chassis));
    await writeFile(join(confDir, 'mesher.yaml'), JSON.stringify(mesher));
    const args = [MESHER_BIN, '--mode=transparent', `--service-name=${service}`];
    const child = host.spawn(process.execPath, args, { env: { CHASSIS_CONF_DIR: confDir, ...env }, as });
    await child.untilPrinted(/"msg":"ready"/);
    const { code, stderr } = await intercept(host, ['apply', ...(options.apply ?? [])]);
    if (code !== 0) throw new Error(stderr);
    return new TransparentSidecar(host, child);
  }

  /** What the admin API answers. */
  async admin(path: string): Promise<unknown> {
    return JSON.parse(await this.host.must('curl', ['-sS', `${ADMIN}${path}`], { as: SIDECAR }));
  }

  /** The sum of the series that have the labels. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const text = await this.host.must('curl', ['-sS', `${ADMIN}/metrics`], { as: SIDECAR });
    const samples = findSamples(parsePrometheusText(text).get(name), labels, name);
    return samples.reduce((sum, { value }) => sum + value, 0);
  }

  async connections(labels: Readonly<Record<string, string>>): Promise<number> {
    return await this.metric('mesher_transparent_connections_total', labels);
  }

  async stop(): Promise<void> {
    await intercept(this.host, ['cleanup']);
    await this.process.kill();
  }
}

/** Starts the application that knows of no proxy. */
export async function startUnawareApp(on: NetworkNamespace, name: string): Promise<SpawnedProcess> {
  const child = on.spawn(process.execPath, [APP, name], { as: APPLICATION });
  await child.untilPrinted(/^listening$/m);
  return child;
}

/** Runs a program of the application's user. @returns what it printed */
export async function asApplication(on: NetworkNamespace, program: string, ...args: string[]): Promise<string> {
  return await on.must(program, args, { as: APPLICATION });
}

/** Connects, sends, ends its side, and prints everything that comes until the other side ends. */
const TALK = `
const [host, port, text] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port, allowHalfOpen: true });
socket.on('error', (error) => { process.stdout.write(error.code); process.exit(); });
socket.pipe(process.stdout);
socket.end(text);
`;

export async function talk(on: NetworkNamespace, host: string, port: number, text: string): Promise<string> {
  return await asApplication(on, process.execPath, '-e', TALK, host, String(port), text);
}

/** Connects, says nothing, and prints the first thing that the server says. */
const LISTEN = `
const [host, port] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port });
socket.once('data', (bytes) => { process.stdout.write(bytes); process.exit(); });
`;

export async function listenTo(on: NetworkNamespace, host: string, port: number): Promise<string> {
  return await asApplication(on, process.execPath, '-e', LISTEN, host, String(port));
}

/** A span as Zipkin's API has it. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly localEndpoint?: { readonly serviceName?: string };
}

const COLLECTOR = `
require('node:http').createServer((request, response) => {
  let text = '';
  request.on('data', (more) => (text += more));
  request.on('end', () => { process.stdout.write('spans ' + text + '\\n'); response.writeHead(202).end(); });
}).listen(9411, '127.0.0.1', () => process.stdout.write('listening\\n'));
process.stdin.resume().once('end', () => process.exit());
`;

/** The place for spans of a host (`http://127.0.0.1:9411`). @returns what has come */
export async function startCollector(on: NetworkNamespace): Promise<() => ZipkinSpan[]> {
  const child = on.spawn(process.execPath, ['-e', COLLECTOR], { as: SIDECAR });
  await child.untilPrinted(/^listening$/m);
  return () =>
    [...child.stdout.matchAll(/^spans (.*)$/gm)].flatMap(([, text]) => JSON.parse(text ?? '') as ZipkinSpan[]);
}
