import { MESHER_BIN, type Settings } from './sidecar.js';
import type { Scene } from './scene.js';
import type { SpawnedProcess } from './spawned-process.js';

/** `mesher registry` as a process of its own: the service-center of those who have none. */
export class MesherRegistry {
  process!: SpawnedProcess;

  private constructor(
    private readonly scene: Scene,
    readonly port: number,
  ) {}

  /** @param port taken from the free ones when left out */
  static async start(scene: Scene, port?: number): Promise<MesherRegistry> {
    const registry = new MesherRegistry(scene, port ?? (await scene.ports.take()));
    await registry.start();
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the process, again after it has ended: it then knows nobody any more. */
  async start(): Promise<void> {
    const args = ['registry', '--listen', `127.0.0.1:${this.port}`, '--in-memory'];
    this.process = this.scene.spawn('mesher registry', process.execPath, [MESHER_BIN, ...args]);
    await this.process.untilPrinted(/^mesher registry: http/);
  }
}

/** What a service-center shows of the instances of a service, whatever their version: the status by `host:port`. */
export async function statusesIn(url: string, serviceName: string): Promise<ReadonlyMap<string, string>> {
  const query = new URLSearchParams({ appId: 'default', serviceName, version: '0+' });
  const answer = await fetch(`${url}/v4/default/registry/instances?${query.toString()}`);
  const { instances = [] } = (await answer.json()) as {
    readonly instances?: readonly { readonly endpoints?: readonly string[]; readonly status: string }[];
  };
  return new Map(instances.map(({ endpoints = [], status }) => [new URL(endpoints[0] ?? '').host, status]));
}

/** Keys of chassis.yaml for a sidecar that registers in a service-center and is told of changes. */
export function inServiceCenter(url: string): Settings {
  return {
    'servicecomb.registry.type': 'servicecenter',
    'servicecomb.registry.address': url,
    'servicecomb.registry.watch': true,
    // There is no herd here.
    'servicecomb.registry.servicecenter.reconnectSpread': '1s',
  };
}
