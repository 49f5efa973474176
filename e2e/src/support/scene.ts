import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { skipBecause } from '@mesher/core/testing';
import { App, type AppOptions } from './app.js';
import { canListen, FreePorts } from './free-ports.js';
import { Sidecar, type SidecarOptions } from './sidecar.js';
import { SpawnedProcess } from './spawned-process.js';

/** Characters of a process's output that a failed test shows. */
const SHOWN_CHARACTERS = 6_000;

/** The processes, files and ports of one test. */
export class Scene {
  readonly ports = new FreePorts();
  readonly #processes: SpawnedProcess[] = [];
  #lastByte = 1;
  /** For a run that ends before its tests do. */
  readonly #killAll = (): void => {
    for (const child of this.#processes) child.signal('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  };
  readonly #killAllAndEnd = (): void => {
    this.#killAll();
    process.exit(1);
  };

  private constructor(readonly folder: string) {
    process.once('exit', this.#killAll);
    process.once('SIGTERM', this.#killAllAndEnd);
  }

  static async create(): Promise<Scene> {
    const scene = new Scene(await mkdtemp(join(tmpdir(), 'mesher-e2e-')));
    await mkdir(scene.registry);
    return scene;
  }

  /** The folder in which the sidecars of this test find each other. */
  get registry(): string {
    return join(this.folder, 'disco');
  }

  nextLoopbackAddress(): string {
    return `127.0.0.${++this.#lastByte}`;
  }

  /** Starts a process that ends with the test at the latest. */
  spawn(
    name: string,
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    cwd?: string,
  ): SpawnedProcess {
    const child = new SpawnedProcess(name, command, args, env, cwd);
    this.#processes.push(child);
    return child;
  }

  async app(options: AppOptions): Promise<App> {
    return await App.start(this, options);
  }

  async sidecar(options: SidecarOptions): Promise<Sidecar> {
    return await Sidecar.start(this, options);
  }

  /** A service as users run it: an application with a sidecar beside it. */
  async service(name: string, options: Partial<SidecarOptions> = {}): Promise<{ app: App; sidecar: Sidecar }> {
    const app = await this.app({ name });
    return { app, sidecar: await this.sidecar({ service: name, app, ...options }) };
  }

  /** Writes a file below the folder of the scene. @returns its path */
  async write(name: string, content: string): Promise<string> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    return path;
  }

  /** What all processes printed, for a failed test. */
  get logs(): string {
    return this.#processes
      .map(({ name, pid, output }) => `--- ${name}, process ${pid}:\n${output.slice(-SHOWN_CHARACTERS)}`)
      .join('\n');
  }

  /** Ends every process and removes every file. */
  async close(): Promise<void> {
    // Nobody waits for a graceful end here: what happens at the end of a process is tested where it is the subject.
    await Promise.all(this.#processes.map((child) => child.kill()));
    process.off('exit', this.#killAll);
    process.off('SIGTERM', this.#killAllAndEnd);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A new scene for each test of the suite. A failed test prints what its processes printed. */
export function useScene(): () => Scene {
  let scene: Scene | undefined;
  beforeEach(async function () {
    await requireLoopbackAddresses(this);
    scene = await Scene.create();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.log(scene?.logs);
    await scene?.close();
    scene = undefined;
  });
  return () => required(scene);
}

/** One scene for all tests of a suite that only look at it, built by `build`. */
export function useSharedScene<T>(build: (scene: Scene) => Promise<T>): () => T {
  let scene: Scene | undefined;
  let built: T | undefined;
  before(async function () {
    await requireLoopbackAddresses(this);
    scene = await Scene.create();
    try {
      built = await build(scene);
    } catch (error) {
      console.log(scene.logs);
      throw error;
    }
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.log(scene?.logs);
  });
  after(async () => {
    await scene?.close();
    scene = built = undefined;
  });
  return () => required(built);
}

async function requireLoopbackAddresses(context: Mocha.Context): Promise<void> {
  if (await canListen('127.0.0.2')) return;
  skipBecause(context, '127.0.0.2 is no address of this machine (on macOS: ifconfig lo0 alias 127.0.0.2)');
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a scene is there only while a test runs');
  return value;
}
