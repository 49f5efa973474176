import { join } from 'node:path';
import { LIMITED_RULES, NODELESS_RULES, type Target } from '@mesher/registry-consul/testing';
import { builtProgram } from './built-program.js';
import { eventually } from './eventually.js';
import type { Scene } from './scene.js';
import type { Settings } from './sidecar.js';
import type { SpawnedProcess } from './spawned-process.js';

/** May do everything, where access control is on. */
const ROOT_TOKEN = '5f0d6c1e-7b7a-4f3e-9c55-0d5e1a7c0001';

/** Of a registration: short, so that a killed sidecar is given up while a test still looks. */
export const TTL_S = 3;

export interface ConsulInstance {
  readonly id: string;
  readonly address: string;
  readonly isPassing: boolean;
}

export interface ConsulOptions {
  /** What it knows survives its death, in a folder of the scene; an agent in development mode forgets everything. */
  readonly keepsState?: boolean;
  /** Access control with the default policy `deny`. */
  readonly acl?: boolean;
  /** Files in PEM: it listens with TLS too, and asks clients for a certificate that is the same. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A real Consul agent that is its own server, on ports of loopback. */
export class Consul {
  process!: SpawnedProcess;

  private constructor(
    private readonly scene: Scene,
    private readonly options: ConsulOptions,
    readonly port: number,
    private readonly serverPort: number,
    private readonly serfPort: number,
    private readonly tlsPort: number,
  ) {}

  /** Ready when it resolves. */
  static async start(scene: Scene, options: ConsulOptions = {}): Promise<Consul> {
    const [port, server, serf] = [await scene.ports.take(), await scene.ports.take(), await scene.ports.take()];
    const consul = new Consul(scene, options, port, server, serf, await scene.ports.take());
    await consul.start();
    return consul;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Where it speaks TLS, if it does. */
  get tlsUrl(): string {
    return `https://127.0.0.1:${this.tlsPort}`;
  }

  /** Starts the process, again after it has ended; resolves once it has a leader. */
  async start(): Promise<void> {
    this.process = this.scene.spawn('consul', builtProgram('consul'), this.#args());
    await eventually('Consul has a leader', async () => {
      if (!this.process.isRunning) throw new Error(`consul ended: ${this.process.output}`);
      const answer = await fetch(`${this.url}/v1/status/leader`);
      return answer.ok && ((await answer.json()) as string) !== '';
    });
    // Instances are shown only once the node is in the catalog.
    await eventually('the catalog of Consul knows its node', async () => {
      const answer = await fetch(`${this.url}/v1/health/service/consul`, { headers: this.#headers });
      return answer.ok && ((await answer.json()) as unknown[]).length > 0;
    });
  }

  /** What the suite needs; makes the tokens with limits where access control is on. */
  async target(): Promise<Target> {
    if (this.options.acl !== true) return { url: this.url };
    const [limited, nodeless] = [
      await this.#token('limited', LIMITED_RULES),
      await this.#token('nodeless', NODELESS_RULES),
    ];
    return { url: this.url, tokens: { root: ROOT_TOKEN, limited, nodeless } };
  }

  /** `kill -9`: what it knows is lost, unless it keeps its state. */
  async kill(): Promise<void> {
    await this.process.kill();
  }

  /** Keys of chassis.yaml for a sidecar that registers there, and says every second that it lives. */
  get settings(): Settings {
    return {
      'servicecomb.registry.type': 'consul',
      'servicecomb.registry.address': this.url,
      'servicecomb.registry.consul.ttl': `${TTL_S}s`,
      'servicecomb.registry.consul.maxRetryDelay': '2s',
    };
  }

  /** The instances of a service: whether they pass, by id. */
  async instances(service: string): Promise<readonly ConsulInstance[]> {
    const entries = (await (await this.#get(`/health/service/${service}`)).json()) as readonly {
      readonly Service: { readonly ID: string; readonly Address: string; readonly Port: number };
      readonly Checks: readonly { readonly Status: string }[];
    }[];
    return entries.map(({ Service: { ID, Address, Port }, Checks }) => ({
      id: ID,
      address: `${Address}:${Port}`,
      isPassing: Checks.every(({ Status }) => Status === 'passing'),
    }));
  }

  /** Sets a key. */
  async setKey(key: string, value: string): Promise<void> {
    await fetch(`${this.url}/v1/kv/${key}`, { method: 'PUT', headers: this.#headers, body: value });
  }

  /** Registers an instance by hand, as services without a sidecar do. */
  async register(definition: object): Promise<void> {
    const sent = { method: 'PUT', headers: this.#headers, body: JSON.stringify(definition) };
    const answer = await fetch(`${this.url}/v1/agent/service/register`, sent);
    if (!answer.ok) throw new Error(`register: ${answer.status} ${await answer.text()}`);
  }

  async #get(path: string): Promise<Response> {
    const answer = await fetch(`${this.url}/v1${path}`, { headers: this.#headers });
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  get #headers(): Record<string, string> {
    return this.options.acl === true ? { 'x-consul-token': ROOT_TOKEN } : {};
  }

  async #token(Name: string, Rules: string): Promise<string> {
    await this.#put('/acl/policy', { Name, Rules });
    const { SecretID } = (await this.#put('/acl/token', { Policies: [{ Name }] })) as { SecretID: string };
    return SecretID;
  }

  async #put(path: string, body: object): Promise<unknown> {
    const sent = { method: 'PUT', headers: this.#headers, body: JSON.stringify(body) };
    const answer = await fetch(`${this.url}/v1${path}`, sent);
    if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  }

  #args(): readonly string[] {
    const loopback = ['-bind', '127.0.0.1', '-client', '127.0.0.1', '-node', 'node-of-tests', '-log-level', 'warn'];
    const ports = ['-http-port', this.port, '-server-port', this.serverPort, '-serf-lan-port', this.serfPort];
    const without = ['dns', 'grpc', 'grpc-tls', 'serf-wan'].flatMap((name) => [`-${name}-port`, '-1']);
    const acl = `acl { enabled = true default_policy = "deny" tokens { initial_management = "${ROOT_TOKEN}" agent = "${ROOT_TOKEN}" } }`;
    const { tls } = this.options;
    const files =
      tls && `cert_file = "${tls.cert}" key_file = "${tls.key}" ca_file = "${tls.cert}" verify_incoming = true`;
    return [
      'agent',
      ...(this.options.keepsState === true
        ? ['-server', '-bootstrap-expect', '1', '-data-dir', join(this.scene.folder, `consul-${this.port}`)]
        : ['-dev']),
      ...loopback,
      ...ports.map(String),
      ...without,
      // It asks a server of its makers for newer versions otherwise; and elections are quick.
      ...['-hcl', 'disable_update_check = true', '-hcl', 'performance { raft_multiplier = 1 }'],
      ...(this.options.acl === true ? ['-hcl', acl] : []),
      ...(files === undefined ? [] : ['-https-port', String(this.tlsPort), '-hcl', `tls { https { ${files} } }`]),
    ];
  }
}
