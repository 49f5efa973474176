import type { ChannelOptions } from '@grpc/grpc-js';
import { eventually } from '../eventually.js';
import type { Scene } from '../scene.js';
import type { Settings, Sidecar } from '../sidecar.js';
import { GrpcApp } from './grpc-app.js';
import type { GrpcWay } from './grpc-cases.js';
import { GrpcClient } from './grpc-client.js';

/** Name of the service that is called. */
const SERVICE = 'greeter';

export interface GrpcInstance {
  readonly app: GrpcApp;
  readonly sidecar: Sidecar;
}

export interface GrpcMeshOptions {
  readonly app?: Readonly<Record<string, string>>;
  /** Further keys of chassis.yaml of all sidecars, and of that of the caller alone. */
  readonly chassis?: Settings;
  readonly caller?: Settings;
  /** The program that serves; that by @grpc/grpc-js when left out. */
  readonly command?: readonly [program: string, ...args: string[]];
}

/** A service of gRPC, each instance with its sidecar, and the sidecar of an application that calls it. */
export class GrpcMesh implements GrpcWay {
  readonly #clients: GrpcClient[] = [];

  private constructor(
    readonly caller: Sidecar,
    readonly instances: readonly GrpcInstance[],
  ) {}

  static async build(scene: Scene, size = 1, options: GrpcMeshOptions = {}): Promise<GrpcMesh> {
    const { command, app: env, chassis = {} } = options;
    const instances: GrpcInstance[] = [];
    for (let index = 1; index <= size; index++) {
      const app = await GrpcApp.start(scene, { name: `${SERVICE}-${index}`, env, command });
      instances.push({ app, sidecar: await scene.sidecar({ service: SERVICE, grpcApp: app, chassis }) });
    }
    const caller = await scene.sidecar({
      ...{ service: 'hello', host: 'none', grpc: true },
      chassis: { ...chassis, ...options.caller },
    });
    const mesh = new GrpcMesh(caller, instances);
    const probe = new GrpcClient(caller.grpcOutbound, SERVICE);
    await eventually('all instances answer', async () => {
      const answers = await Promise.all(instances.flatMap(() => [probe.say(''), probe.say('')]));
      const failed = answers.find(({ status }) => status.code !== 0);
      if (failed !== undefined) throw new Error(`${failed.status.code}: ${failed.status.details}`);
      return new Set(answers.map(({ head }) => String(head?.get('served-by')[0]))).size === size;
    });
    probe.close();
    return mesh;
  }

  get apps(): readonly GrpcApp[] {
    return this.instances.map(({ app }) => app);
  }

  get app(): GrpcApp {
    return (this.instances[0] as GrpcInstance).app;
  }

  get name(): string {
    return this.app.name;
  }

  /** A client of the application at the caller's sidecar, which names the service as its target. */
  client(options: ChannelOptions = {}): GrpcClient {
    const client = new GrpcClient(this.caller.grpcOutbound, SERVICE, options);
    this.#clients.push(client);
    return client;
  }

  closeClients(): void {
    for (const client of this.#clients.splice(0)) client.close();
  }
}
