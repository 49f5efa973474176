import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConformanceTopic } from './cases.js';
import { readTopic } from './read-topic.js';

const FOLDER = fileURLToPath(new URL('../../../conformance/', import.meta.url));

/**
 * The whole table, one topic per file of packages/core/conformance.
 * @throws Error naming the place of the first mistake
 */
export async function loadConformanceTable(folder: string = FOLDER): Promise<readonly ConformanceTopic[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  return await Promise.all(
    names.map(async (name) => readTopic(name.replace(/\.yaml$/, ''), await readFile(join(folder, name), 'utf8'))),
  );
}
