import { fileURLToPath, pathToFileURL } from 'node:url';
import type { SpawnedProcess } from './spawned-process.js';

const LIST = fileURLToPath(new URL('../programs/module-list.js', import.meta.url));
const PACKAGES = new URL('../../../packages/', import.meta.url).href;

/** Environment of a process whose modules are to be listed. */
export const LISTING: Readonly<Record<string, string>> = { NODE_OPTIONS: `--import=${pathToFileURL(LIST).href}` };

/** What a process that was started with {@link LISTING} has loaded so far. */
export interface LoadedModules {
  /** Names of packages below node_modules, sorted. */
  readonly libraries: readonly string[];
  /** Own modules by their path below packages/, such as `core/dist/chassis.js`. */
  readonly own: readonly string[];
}

export async function loadedModules(process: SpawnedProcess): Promise<LoadedModules> {
  const line = process.untilPrinted(/^modules (\[.*\])$/m, 'now');
  process.signal('SIGUSR2');
  const [, text = '[]'] = await line;
  const urls = (JSON.parse(text) as string[]).map((name) => (name.startsWith('/') ? pathToFileURL(name).href : name));
  const libraries = urls.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
  const own = urls.filter((url) => url.startsWith(PACKAGES) && !url.includes('/node_modules/'));
  return {
    libraries: [...new Set(libraries)].sort(),
    own: [...new Set(own)].map((url) => url.slice(PACKAGES.length)).sort(),
  };
}
