import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { ROOT_PASSWORD, type Target } from '@mesher/registry-servicecenter/testing';
import { skipBecause, type SkippableContext } from '@mesher/core/testing';
import { builtProgram, requireBuilt } from './built-program.js';
import { Etcd } from './etcd.js';
import { eventually } from './eventually.js';
import type { Scene } from './scene.js';
import { appConf, appYaml, type ServerSettings } from './service-center-files.js';
import type { Settings } from './sidecar.js';
import type { SpawnedProcess } from './spawned-process.js';

/** Path of a service-center 2.x that is used instead of the one that was built; nothing here installs it. */
const OTHER = process.env['MESHER_SERVICE_CENTER'] ?? '';

/** Which API the server under test speaks: what is built is 1.4.8, the last release that is a Go module. */
export const GENERATION: 1 | 2 = OTHER === '' ? 1 : 2;

export interface ServiceCenterOptions {
  /** Taken from the free ones when left out. */
  readonly port?: number;
  /** Nobody may ask without a token. */
  readonly rbac?: boolean;
  /** It runs its etcd within itself. */
  readonly embeddedEtcd?: boolean;
  /** Pings of WebSockets every second instead of every 30; 2.x only. */
  readonly shortPings?: boolean;
  /** Speaks TLS itself, with `server.cer`, `server_key.pem` and `trust.cer` in this folder. */
  readonly tlsFolder?: string;
  /** It is another node of this one: both have one etcd. */
  readonly beside?: ServiceCenter;
}

/** What it says of an instance. */
export interface RegisteredInstance {
  readonly instanceId: string;
  readonly serviceId: string;
  readonly endpoints?: readonly string[];
  readonly status: string;
  readonly hostName: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly healthCheck: object;
  readonly dataCenterInfo?: object;
  readonly version: string;
}

/** Skips the test when there is no service-center. */
export function requireServiceCenter(context: SkippableContext): void {
  requireBuilt(context, 'etcd');
  if (OTHER === '') requireBuilt(context, 'service-center');
  else if (!existsSync(OTHER)) skipBecause(context, `MESHER_SERVICE_CENTER: there is no ${OTHER}`);
}

/** A real service-center over a real etcd, on ports of loopback, with all files in the folder of the scene. */
export class ServiceCenter {
  process!: SpawnedProcess;

  private constructor(
    private readonly scene: Scene,
    private readonly options: ServiceCenterOptions,
    readonly port: number,
    /** Folder that holds `conf`. */
    private readonly folder: string,
    private readonly etcd: Etcd | undefined,
  ) {}

  /** Ready when it resolves. */
  static async start(scene: Scene, options: ServiceCenterOptions = {}): Promise<ServiceCenter> {
    const port = options.port ?? (await scene.ports.take());
    const etcd = options.embeddedEtcd === true ? undefined : (options.beside?.etcd ?? (await Etcd.start(scene)));
    const center = new ServiceCenter(scene, options, port, `${scene.folder}/sc-${port}`, etcd);
    await center.#configure();
    await center.start();
    return center;
  }

  get url(): string {
    return `${this.options.tlsFolder === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** Keys of chassis.yaml for a sidecar that registers and finds there, as often as service-center allows. */
  get settings(): Settings {
    return {
      'servicecomb.registry.type': 'servicecenter',
      'servicecomb.registry.address': this.url,
      'servicecomb.registry.refreshInterval': '1s',
      'servicecomb.registry.heartbeat.interval': '5s',
      'servicecomb.registry.servicecenter.maxRetryDelay': '2s',
      'servicecomb.registry.servicecenter.quarantine': '500ms',
      // There is no herd here that would have to be spread.
      'servicecomb.registry.servicecenter.reconnectSpread': '10ms',
    };
  }

  /** The body that it answers with, below `/v4/default`; undefined when it says that there is no such thing. */
  async ask<T>(path: string): Promise<T | undefined> {
    const { token } = await this.target();
    const headers = new Headers(token === undefined ? [] : [['authorization', `Bearer ${token}`]]);
    const answer = await fetch(`${this.url}/v4/default${path}`, { headers });
    const text = await answer.text();
    if (answer.status === 400 && /"4000(12|17)"/.test(text)) return undefined;
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** Instances of all versions that it lists. */
  async instances(serviceName: string): Promise<readonly RegisteredInstance[]> {
    const query = new URLSearchParams({ appId: 'default', serviceName, version: '0+' });
    const found = await this.ask<{ instances?: RegisteredInstance[] }>(`/registry/instances?${query.toString()}`);
    return found?.instances ?? [];
  }

  /** What the suite needs. */
  async target(): Promise<Target> {
    if (this.options.rbac !== true) return { url: this.url };
    const body = JSON.stringify({ name: 'root', password: ROOT_PASSWORD });
    const answer = await fetch(`${this.url}/v4/token`, { method: 'POST', body });
    return { url: this.url, token: ((await answer.json()) as { token: string }).token };
  }

  /** Starts the process, again after it has ended; what was registered is still there. */
  async start(): Promise<void> {
    const command = OTHER === '' ? builtProgram('service-center') : OTHER;
    // 1.x asks for APP_ROOT, 2.x for both.
    const env = {
      ...{ APP_ROOT: this.folder, CHASSIS_HOME: this.folder, SC_INIT_ROOT_PASSWORD: ROOT_PASSWORD },
      SSL_ROOT: this.options.tlsFolder ?? this.folder,
    };
    this.process = this.scene.spawn('service-center', command, [], env, this.folder);
    await this.process.untilPrinted(/api server is ready/);
    if (this.options.tlsFolder !== undefined) return;
    await eventually('service-center is well', async () => {
      return (await fetch(`${this.url}/v4/default/registry/health`)).status === 200;
    });
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await this.process.kill();
  }

  /** `kill -9`, and nothing of what it knew is left when it is started again. */
  async loseState(): Promise<void> {
    await this.process.kill();
    await this.etcd?.lose();
    await this.etcd?.start();
  }

  async #configure(): Promise<void> {
    const [client, peer] = [await this.scene.ports.take(), await this.scene.ports.take()];
    const settings: ServerSettings = {
      port: this.port,
      grpcPort: await this.scene.ports.take(),
      etcd: this.etcd?.url ?? { client: `http://127.0.0.1:${client}`, peer: `http://127.0.0.1:${peer}` },
      keys: this.options.rbac === true ? await this.#keys() : undefined,
      tls: this.options.tlsFolder !== undefined,
      pingInterval: this.options.shortPings === true ? '1s' : '30s',
    };
    const write = (name: string, text: string): Promise<string> =>
      this.scene.write(`sc-${this.port}/conf/${name}`, text);
    if (GENERATION === 1) return void (await write('app.conf', appConf(settings)));
    await write('app.yaml', appYaml(settings));
    const grpc = { listenAddress: `127.0.0.1:${settings.grpcPort}` };
    await write('chassis.yaml', JSON.stringify({ servicecomb: { registry: { disabled: true }, protocols: { grpc } } }));
    await write('microservice.yaml', JSON.stringify({ servicecomb: { service: { name: 'SERVICECENTER' } } }));
  }

  /** Signs the tokens; service-center takes PKCS#1 alone. */
  async #keys(): Promise<{ readonly secret: string; readonly open: string }> {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const secret = privateKey.export({ type: 'pkcs1', format: 'pem' });
    const open = publicKey.export({ type: 'spki', format: 'pem' });
    return {
      secret: await this.scene.write(`sc-${this.port}/private.key`, secret.toString()),
      open: await this.scene.write(`sc-${this.port}/public.key`, open.toString()),
    };
  }
}
