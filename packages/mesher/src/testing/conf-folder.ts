import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatProblems, type MeshDocument } from '@mesher/core';
import { load, type Loaded } from '../sidecar/load.js';

/** Files of a configuration folder, by name. */
export type Files = Readonly<Record<string, string>>;

const NAMED: Files = { 'microservice.yaml': 'servicecomb: { service: { name: world, version: 1.2.3 } }\n' };

/** Runs `use` with a new folder that holds a microservice.yaml and `files`, and removes the folder afterwards. For tests. */
export async function withConfFolder<T>(files: Files, use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'mesher-conf-'));
  try {
    for (const [name, text] of Object.entries({ ...NAMED, ...files })) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), text);
    }
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** What {@link load} makes of such a folder. */
export async function loadFiles(files: Files, env: Readonly<Record<string, string>> = {}): Promise<Loaded> {
  return await withConfFolder(files, (confDir) => load({ confDir, env }));
}

/** The document of a folder without mistakes. @throws Error that lists the mistakes */
export async function documentOf(files: Files): Promise<MeshDocument> {
  const { document, errors } = (await loadFiles(files)).configuration;
  if (document === undefined) throw new Error(formatProblems(errors));
  return document;
}
