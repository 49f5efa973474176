import { spawnSync } from 'node:child_process';
import { chown, mkdir } from 'node:fs/promises';
import type { NamespaceCommand, NetworkNamespace, RunAs } from './network-namespaces.js';
import { eventually } from './eventually.js';
import type { SpawnedProcess } from './spawned-process.js';
import type { TransparentScene } from './transparent-scene.js';

/** Somebody whom the system knows by name, as some servers ask for, and who is not root. */
export function ordinaryUser(...names: readonly string[]): RunAs {
  for (const name of [...names, 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim());
    if (uid !== undefined && gid !== undefined && uid !== '') return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('there is no user nobody');
}

/** A folder in the scene that belongs to a user. @returns its path */
export async function folderOf(scene: TransparentScene, name: string, { uid, gid }: RunAs): Promise<string> {
  const path = scene.path(name);
  await mkdir(path, { recursive: true });
  await chown(path, uid, gid);
  return path;
}

/** Starts a server, and waits until something listens on its port, over both families. */
export async function startPeer(
  on: NetworkNamespace,
  program: string,
  args: readonly string[],
  { port, ...command }: NamespaceCommand & { readonly port: number },
): Promise<SpawnedProcess> {
  const server = on.spawn(program, args, command);
  const script = `const socket = require('node:net').connect(${port}, process.argv[1]).on('connect', () => process.exit()).on('error', () => process.exit(1))`;
  for (const address of ['127.0.0.1', '::1']) {
    await eventually(`${program} listens on ${address}`, async () => {
      if (!server.isRunning) throw new Error(`${program} has ended: ${server.output}`);
      return (await on.run(process.execPath, ['-e', script, address])).code === 0;
    });
  }
  return server;
}
