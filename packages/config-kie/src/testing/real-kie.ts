import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { KieLabels, KieServer } from './kie-server.js';

/** Far more than it takes. */
export const START_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 100;

/** The real server over its embedded store, with values that one test uses only. */
export class RealKie implements KieServer {
  readonly #ids = new Map<string, string>();

  private constructor(
    readonly url: string,
    private readonly binary: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  /** @param binary path of a `kieserver`; it listens on ports of loopback, 2380 among them */
  static async start(binary: string): Promise<RealKie> {
    const folder = await mkdtemp(join(tmpdir(), 'mesher-kie-'));
    const [port, gossip] = [await freePort(), await freePort()];
    await mkdir(join(folder, 'conf'));
    const files: Readonly<Record<string, string>> = {
      'chassis.yaml': `servicecomb:
  registry: { disabled: true }
  protocols: { rest: { listenAddress: "127.0.0.1:${port}" } }
  handler: { chain: { Provider: { default: track-handler } } }
`,
      'microservice.yaml': 'servicecomb: { service: { name: servicecomb-kie, version: 0.0.1 } }\n',
      'lager.yaml': 'logWriters: stdout\nlogLevel: ERROR\n',
      'kie-conf.yaml': `db:\n  kind: embedded_etcd\n  localFilePath: ${folder}/data\nsync:\n  enabled: false\n`,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'conf', name), text);
    const args = ['--config', join(folder, 'conf/kie-conf.yaml'), '--name', 'kie', '--listen-peer-addr'];
    const child = spawn(binary, [...args, `127.0.0.1:${gossip}`], {
      cwd: folder,
      env: { CHASSIS_HOME: folder, CHASSIS_CONF_DIR: join(folder, 'conf') },
      stdio: 'ignore',
    });
    const kie = new RealKie(`http://127.0.0.1:${port}`, binary, child, folder);
    try {
      await kie.#untilUp();
    } catch (error) {
      await kie.close();
      throw error;
    }
    return kie;
  }

  async put(labels: KieLabels, key: string, value: string, status = 'enabled'): Promise<void> {
    const id = this.#ids.get(idOf(labels, key));
    const [path, body] =
      id === undefined ? ['', { key, value, labels, status, value_type: 'text' }] : [`/${id}`, { value, status }];
    const answer = await this.#send(id === undefined ? 'POST' : 'PUT', path, body);
    this.#ids.set(idOf(labels, key), ((await answer.json()) as { id: string }).id);
  }

  async remove(labels: KieLabels, key: string): Promise<void> {
    // Kie goes on for ten minutes to answer with a value that was deleted; a disabled one is gone at once.
    await this.put(labels, key, 'x', 'disabled');
    await this.#send('DELETE', `/${this.#ids.get(idOf(labels, key)) ?? ''}`);
    this.#ids.delete(idOf(labels, key));
  }

  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGKILL');
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  async #send(method: string, path: string, body?: object): Promise<Response> {
    const answer = await fetch(`${this.url}/v1/default/kie/kv${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  async #untilUp(): Promise<void> {
    for (let waited = 0; waited < START_LIMIT_MS; waited += LOOK_EVERY_MS) {
      if (this.child.exitCode !== null) throw new Error(`${this.binary} ended with ${this.child.exitCode}`);
      const answer = await fetch(`${this.url}/v1/default/kie/kv`).catch(() => undefined);
      if (answer?.status === 200) return;
      await pause(LOOK_EVERY_MS);
    }
    throw new Error(`${this.binary} did not answer within ${START_LIMIT_MS} ms`);
  }
}

function idOf(labels: KieLabels, key: string): string {
  return JSON.stringify([key, Object.entries(labels).sort()]);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
