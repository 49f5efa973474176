import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtProgram } from './built-program.js';
import { call } from './http-call.js';
import type { Scene } from './scene.js';
import type { Settings } from './sidecar.js';
import type { SpawnedProcess } from './spawned-process.js';

/** Seconds between two questions of go-chassis for the instances it knows; its watch is on, too. */
const REFRESH = '1s';

export interface GoChassisOptions {
  readonly service: string;
  /** URL of the service-center. */
  readonly registry: string;
  /** Taken from the free ones when left out. */
  readonly port?: number;
  /** Further keys of its chassis.yaml and microservice.yaml. */
  readonly chassis?: Settings;
  readonly microservice?: Settings;
}

/** What it says about a request that it got. */
export interface Seen {
  /** Who calls, as go-chassis reads it. */
  readonly source: string;
  readonly host: string;
  /** By the names of Go: `X-Cse-Context`. */
  readonly header: Readonly<Record<string, readonly string[]>>;
}

/** The answer to a call that it made. */
export interface GoAnswer {
  readonly status: number;
  readonly body: string;
  readonly error?: string;
}

/** The service of e2e/go/chassis-peer, written with go-chassis: it registers by the client of go-chassis and has no sidecar. */
export class GoChassisPeer {
  process!: SpawnedProcess;

  private constructor(
    private readonly scene: Scene,
    private readonly home: string,
    readonly service: string,
    readonly port: number,
  ) {}

  /** Registered when it resolves. */
  static async start(scene: Scene, options: GoChassisOptions): Promise<GoChassisPeer> {
    const port = options.port ?? (await scene.ports.take());
    const home = join(scene.folder, `go-chassis-${options.service}-${port}`);
    await mkdir(join(home, 'conf'), { recursive: true });
    const write = (file: string, settings: Settings): Promise<void> =>
      writeFile(join(home, 'conf', file), JSON.stringify(nested(settings)));
    await write('chassis.yaml', {
      'servicecomb.registry.address': options.registry,
      'servicecomb.registry.refreshInterval': REFRESH,
      'servicecomb.registry.watch': true,
      'servicecomb.protocols.rest.listenAddress': `127.0.0.1:${port}`,
      ...options.chassis,
    });
    await write('microservice.yaml', { 'servicecomb.service.name': options.service, ...options.microservice });
    await write('lager.yaml', { logLevel: 'INFO', logWriters: 'stdout' });
    const peer = new GoChassisPeer(scene, home, options.service, port);
    await peer.start();
    return peer;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts the process, again with the same configuration after it has ended. */
  async start(): Promise<void> {
    const name = `go-chassis: ${this.service}`;
    this.process = this.scene.spawn(name, builtProgram('chassis-peer'), [], { CHASSIS_HOME: this.home });
    await this.process.untilPrinted(/register instance success/);
  }

  /** Lets it call another service, by its own client. */
  async callOut(url: string): Promise<GoAnswer> {
    const { body } = await call(`http://${this.address}/call?url=${encodeURIComponent(url)}`);
    return JSON.parse(body) as GoAnswer;
  }
}

/** go-chassis takes no dotted keys. */
function nested(settings: Settings): object {
  const root: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(settings)) {
    const names = key.split('.');
    const last = names.pop() ?? key;
    let place = root;
    for (const name of names) place = (place[name] ??= {}) as Record<string, unknown>;
    place[last] = value;
  }
  return root;
}
