import { join } from 'node:path';
import { run, type CommandResult } from './command.js';
import type { Scene } from './scene.js';
import { MESHER_BIN } from './sidecar.js';
import type { SpawnedProcess } from './spawned-process.js';

/** Files by name. */
export type Files = Readonly<Record<string, string>>;

/** A configuration folder as a user writes it, for tests whose subject is the text of the files. */
export interface ConfFolder {
  readonly dir: string;
  /** Port of the sidecar for calls, and of its admin API, as chassis.yaml says them. */
  readonly http: number;
  readonly admin: number;
}

/** Writes a folder for the service `world`; `files` replaces or adds files, and is told which ports chassis.yaml may use. */
export async function writeConfFolder(
  scene: Scene,
  files: Files | ((http: number, admin: number) => Files) = {},
  folder = 'conf',
): Promise<ConfFolder> {
  const [http, admin] = [await scene.ports.take(), await scene.ports.take()];
  const all: Files = {
    'microservice.yaml': 'servicecomb: { service: { name: world } }\n',
    'mesher.yaml': '',
    'chassis.yaml': chassisYaml(`127.0.0.2:${http}`, admin),
    ...(typeof files === 'function' ? files(http, admin) : files),
  };
  for (const [name, text] of Object.entries(all)) await scene.write(`${folder}/${name}`, text);
  return { dir: join(scene.folder, folder), http, admin };
}

/** A chassis.yaml with these addresses. @param registry the registry section in YAML; none when empty */
export function chassisYaml(
  listenAddress: string,
  admin: number,
  registry = 'registry: { type: file, address: ../disco }',
): string {
  return `servicecomb:
  protocols:
    http: { listenAddress: "${listenAddress}" }
    rest-admin: { listenAddress: "127.0.0.1:${admin}" }
  ${registry}
`;
}

/** Starts a sidecar as a user does, and waits until it is ready. */
export async function startByHand(
  scene: Scene,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd?: string,
): Promise<SpawnedProcess> {
  const sidecar = scene.spawn('the sidecar', process.execPath, [MESHER_BIN, ...args], env, cwd);
  await sidecar.untilPrinted(/"msg":"ready"/);
  return sidecar;
}

/** Runs a sidecar that is expected to refuse to start. */
export async function runRefused(dir: string, args: readonly string[] = []): Promise<CommandResult> {
  return await run(process.execPath, [MESHER_BIN, ...args], { CHASSIS_CONF_DIR: dir });
}
