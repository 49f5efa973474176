import { stat } from 'node:fs/promises';
import { MeshError } from '@mesher/core';

export async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/**
 * A sidecar may start without its folder, since the environment may say enough; one that a question names is meant to be there.
 * @throws MeshError MESH_ERR_CONFIG when it is not
 */
export async function requireFolder(dir: string): Promise<void> {
  if (!(await isFolder(dir))) throw new MeshError('MESH_ERR_CONFIG', `there is no folder ${dir}`);
}
