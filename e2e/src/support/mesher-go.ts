import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { skipBecause, type SkippableContext } from '@mesher/core/testing';
import { call, type CallResult } from './http-call.js';
import type { Scene } from './scene.js';
import type { SpawnedProcess } from './spawned-process.js';

/** Path of the original mesher; its module is not served by the proxy for modules, so nothing here installs it. */
const BINARY = process.env['MESHER_GO'] ?? '';

/** Skips the test when there is no original mesher. */
export function requireMesherGo(context: SkippableContext): void {
  if (BINARY === '') skipBecause(context, 'MESHER_GO does not name a mesher written in Go');
  if (!existsSync(BINARY)) skipBecause(context, `MESHER_GO: there is no ${BINARY}`);
}

export interface MesherGoOptions {
  readonly service: string;
  /** URL of the service-center. */
  readonly registry: string;
  /** Port of the application beside it. */
  readonly appPort: number;
  /** Lists of mesher.yaml, as text. */
  readonly mesherYaml?: string;
}

/** The original mesher, as sidecar of an application. */
export class MesherGo {
  private constructor(
    readonly process: SpawnedProcess,
    /** Where others call. */
    readonly inbound: string,
    /** Where its application calls. */
    readonly outbound: string,
  ) {}

  /** Registered when it resolves. */
  static async start(scene: Scene, options: MesherGoOptions): Promise<MesherGo> {
    const { service, registry, appPort, mesherYaml = '' } = options;
    const [host, port, adminPort] = [scene.nextLoopbackAddress(), await scene.ports.take(), await scene.ports.take()];
    const home = join(scene.folder, `mesher-go-${service}`);
    const conf = join(home, 'conf');
    await mkdir(conf, { recursive: true });
    await writeFile(
      join(conf, 'chassis.yaml'),
      `servicecomb:
  registry: { address: "${registry}", scope: full, watch: true, refreshInterval: 1s }
  protocols:
    http: { listenAddress: "${host}:${port}" }
    rest-admin: { listenAddress: "127.0.0.1:${adminPort}" }
`,
    );
    await writeFile(
      join(conf, 'microservice.yaml'),
      `servicecomb: { service: { name: ${service}, version: 0.0.1 } }\n`,
    );
    await writeFile(join(conf, 'mesher.yaml'), `admin: { enable: true }\n${mesherYaml}`);
    await writeFile(join(conf, 'lager.yaml'), 'logLevel: INFO\nlogWriters: stdout\n');
    const env = { CHASSIS_HOME: home, CHASSIS_CONF_DIR: conf };
    // The last versions do not read SERVICE_PORTS, whatever their documentation says.
    const args = [`--config=${join(conf, 'mesher.yaml')}`, `--service-ports=rest:${appPort}`];
    const child = scene.spawn(`mesher (Go) of ${service}`, BINARY, args, env, home);
    await child.untilPrinted(/register instance success/i);
    return new MesherGo(child, `${host}:${port}`, `127.0.0.1:${port}`);
  }

  /** A call of its application to a service. */
  async call(url: string): Promise<CallResult> {
    return await call(url, { proxy: this.outbound });
  }
}
