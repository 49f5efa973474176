import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findSamples, parsePrometheusText, type PrometheusFamily } from '@mesher/core/testing';
import type { App } from './app.js';
import type { GrpcApp } from './grpc/grpc-app.js';
import { call, type CallResult } from './http-call.js';
import type { Scene } from './scene.js';
import type { SpawnedProcess } from './spawned-process.js';

export const MESHER_BIN: string = fileURLToPath(new URL('../../../packages/mesher/bin/mesher.js', import.meta.url));

/** Settings by dotted key, as a file of its own holds them. */
export type Settings = Readonly<Record<string, unknown>>;

export interface SidecarOptions {
  readonly service: string;
  /** Address for inbound calls; the next 127.0.0.x when left out, none for a sidecar that only calls. */
  readonly host?: string | 'none';
  /** Port for calls in both directions, when somebody must know it before; taken from the free ones when left out. */
  readonly port?: number;
  /** The application behind it, declared by `--service-ports=rest:PORT`. */
  readonly app?: App;
  /** The application of gRPC behind it, declared by `--service-ports=grpc:PORT`; it has a listener for gRPC then. */
  readonly grpcApp?: GrpcApp;
  /** It has a listener for gRPC (`servicecomb.protocols.grpc`), without an application of gRPC behind it. */
  readonly grpc?: boolean;
  /** Folder of the file registry; that of the scene when left out. */
  readonly registry?: string;
  /** Further keys of chassis.yaml and mesher.yaml. */
  readonly chassis?: Settings;
  readonly mesher?: Settings;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A `mesher` process with its own configuration folder. */
export class Sidecar {
  process!: SpawnedProcess;
  /** Milliseconds from the start of the process until it was ready; printed, never asserted. */
  readyAfterMs = 0;

  private constructor(
    private readonly scene: Scene,
    private readonly options: SidecarOptions,
    readonly confDir: string,
    /** Where others call; undefined for a sidecar that only calls. */
    readonly inbound: string | undefined,
    readonly port: number,
    readonly adminPort: number,
    /** Port of its listener for gRPC; 0 when it has none. */
    readonly grpcPort: number,
  ) {}

  /** Writes the configuration and starts; ready when it resolves. */
  static async start(scene: Scene, options: SidecarOptions): Promise<Sidecar> {
    const host = options.host ?? scene.nextLoopbackAddress();
    const port = options.port ?? (await scene.ports.take());
    const adminPort = await scene.ports.take();
    const grpcPort = options.grpc === true || options.grpcApp !== undefined ? await scene.ports.take() : 0;
    const confDir = join(scene.folder, `conf-${options.service}-${port}`);
    const inbound = host === 'none' ? undefined : `${host}:${port}`;
    const sidecar = new Sidecar(scene, options, confDir, inbound, port, adminPort, grpcPort);
    await sidecar.#configure();
    await sidecar.start();
    return sidecar;
  }

  get service(): string {
    return this.options.service;
  }

  /** Where its application calls: the value for `http_proxy`. */
  get outbound(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Where its application calls services of gRPC. */
  get grpcOutbound(): string {
    return `127.0.0.1:${this.grpcPort}`;
  }

  /** Where others call its application of gRPC. */
  get grpcInbound(): string {
    return `${this.options.host ?? this.inbound?.split(':')[0] ?? ''}:${this.grpcPort}`;
  }

  /** Starts the process, again with the same configuration after it has ended. */
  async start(): Promise<void> {
    const { app, grpcApp, args = [], env = {}, service } = this.options;
    const declared = [
      ...(app === undefined ? [] : [`rest:${app.port}`]),
      ...(grpcApp === undefined ? [] : [`grpc:${grpcApp.port}`]),
    ];
    const ports = declared.length === 0 ? [] : [`--service-ports=${declared.join()}`];
    const startedAt = performance.now();
    this.process = this.scene.spawn(
      `the sidecar of ${service} (${this.inbound ?? this.outbound})`,
      process.execPath,
      [MESHER_BIN, `--config=${join(this.confDir, 'mesher.yaml')}`, ...ports, ...args],
      env,
    );
    await this.process.untilPrinted(/"msg":"ready"/);
    this.readyAfterMs = performance.now() - startedAt;
  }

  /** A call of its application to a service. */
  async call(url: string, options: Omit<Parameters<typeof call>[1] & object, 'proxy'> = {}): Promise<CallResult> {
    return await call(url, { ...options, proxy: this.outbound });
  }

  async admin(path: string, options: Parameters<typeof call>[1] = {}): Promise<CallResult> {
    return await call(`http://127.0.0.1:${this.adminPort}${path}`, options);
  }

  async services(): Promise<ServicesAnswer> {
    return JSON.parse((await this.admin('/services')).body) as ServicesAnswer;
  }

  /** What is known of the instances of a service, one line each: `address`, or `address: why it gets no calls`. */
  async instances(service: string): Promise<string[]> {
    const view = (await this.services()).services.find((entry) => entry.service === service);
    return (view?.instances ?? []).flatMap(({ endpoints }) =>
      endpoints.map(({ address, available, reason }) => (available ? address : `${address}: ${reason ?? ''}`)),
    );
  }

  async metrics(): Promise<ReadonlyMap<string, PrometheusFamily>> {
    return parsePrometheusText((await this.admin('/metrics')).body);
  }

  /** The sum of the series that have the labels; 0 when there is none yet. `sample` chooses `_count` and the like. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}, sample = name): Promise<number> {
    const samples = findSamples((await this.metrics()).get(name), labels, sample);
    return samples.reduce((sum, { value }) => sum + value, 0);
  }

  async #configure(): Promise<void> {
    const { service, registry = this.scene.registry, chassis = {}, mesher = {} } = this.options;
    await mkdir(this.confDir, { recursive: true });
    // YAML takes JSON, and the loader takes dotted keys.
    const write = (file: string, settings: Settings): Promise<void> =>
      writeFile(join(this.confDir, file), JSON.stringify(settings, undefined, 2));
    await write('chassis.yaml', {
      'servicecomb.protocols.http.listenAddress': this.inbound ?? this.outbound,
      'servicecomb.protocols.rest-admin.listenAddress': `127.0.0.1:${this.adminPort}`,
      ...(this.grpcPort === 0
        ? {}
        : {
            'servicecomb.protocols.grpc.listenAddress':
              this.inbound === undefined ? this.grpcOutbound : this.grpcInbound,
          }),
      'servicecomb.registry.type': 'file',
      'servicecomb.registry.address': registry,
      ...chassis,
    });
    await write('microservice.yaml', { 'servicecomb.service.name': service });
    await write('mesher.yaml', mesher);
  }
}

/** The part of `GET /services` that tests look at. */
export interface ServicesAnswer {
  readonly registries: readonly {
    readonly name: string;
    readonly freshness: string;
    readonly ageSeconds: number;
    readonly problems: string[];
  }[];
  readonly services: readonly {
    readonly service: string;
    readonly exists: boolean;
    readonly instances: readonly {
      readonly instanceId: string;
      readonly endpoints: readonly {
        readonly address: string;
        /** As the registry lists it: `rest`, `grpc`. */
        readonly protocol: string;
        readonly available: boolean;
        readonly reason?: string;
      }[];
    }[];
  }[];
}
