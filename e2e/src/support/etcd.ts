import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { builtProgram } from './built-program.js';
import type { Scene } from './scene.js';
import type { SpawnedProcess } from './spawned-process.js';

/** A real etcd of one member, on ports of loopback, with its data in the folder of the scene. */
export class Etcd {
  process!: SpawnedProcess;
  readonly #data: string;

  private constructor(
    private readonly scene: Scene,
    private readonly clientPort: number,
    private readonly peerPort: number,
  ) {
    this.#data = join(scene.folder, `etcd-${clientPort}`);
  }

  /** Ready when it resolves. */
  static async start(scene: Scene): Promise<Etcd> {
    const etcd = new Etcd(scene, await scene.ports.take(), await scene.ports.take());
    await etcd.start();
    return etcd;
  }

  /** Where clients ask it. */
  get url(): string {
    return `http://127.0.0.1:${this.clientPort}`;
  }

  /** Starts the process, again with the same data after it has ended. */
  async start(): Promise<void> {
    const peer = `http://127.0.0.1:${this.peerPort}`;
    this.process = this.scene.spawn('etcd', builtProgram('etcd'), [
      ...['--data-dir', this.#data],
      ...['--listen-client-urls', this.url, '--advertise-client-urls', this.url],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
      // What was written survives the death of the process all the same, and the disk of the machine is not the subject.
      '--unsafe-no-fsync',
    ]);
    await this.process.untilPrinted(/ready to serve client requests/);
  }

  /** `kill -9`, and nothing is left. */
  async lose(): Promise<void> {
    await this.process.kill();
    await rm(this.#data, { recursive: true, force: true });
  }
}
