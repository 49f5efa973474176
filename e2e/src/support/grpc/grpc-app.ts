import { fileURLToPath } from 'node:url';
import type { Scene } from '../scene.js';
import type { SpawnedProcess } from '../spawned-process.js';
import { ECHO_METHODS } from './echo-service.js';
import { GrpcClient } from './grpc-client.js';

const APP_MAIN = fileURLToPath(new URL('../../programs/grpc-app-main.js', import.meta.url));

export interface GrpcAppOptions {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The program and its arguments; the one by @grpc/grpc-js when left out. */
  readonly command?: readonly [program: string, ...args: string[]];
}

/** A server of the service in echo-service.ts, a process of its own. */
export class GrpcApp {
  process!: SpawnedProcess;

  private constructor(
    private readonly scene: Scene,
    private readonly options: GrpcAppOptions,
    readonly port: number,
  ) {}

  static async start(scene: Scene, options: GrpcAppOptions): Promise<GrpcApp> {
    const app = new GrpcApp(scene, options, await scene.ports.take());
    await app.start();
    return app;
  }

  get name(): string {
    return this.options.name;
  }

  /** `host:port` for calls without a sidecar. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts the server, again on the same port after it has ended. */
  async start(): Promise<void> {
    const { name, env = {}, command = [process.execPath, APP_MAIN] } = this.options;
    const [program, ...args] = command;
    this.process = this.scene.spawn(name, program, args, { NAME: name, PORT: String(this.port), ...env });
    await this.process.untilPrinted(/listening/);
  }

  /** Lets waiting calls go on. */
  async release(): Promise<void> {
    const client = new GrpcClient(this.address);
    const { status } = await client.unary(ECHO_METHODS.release, '');
    client.close();
    if (status.code !== 0) throw new Error(`${this.name} did not release: ${status.details}`);
  }
}
