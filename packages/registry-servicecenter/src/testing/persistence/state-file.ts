import { open, mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../store/field-rules.js';
import type { RegistryState } from '../store/registry-store.js';

/** In the folder of the registry. */
const FILE_NAME = 'registry.json';
/** Another number means that an older program must not read the file, let alone write it. */
const FORMAT = 1;

/** A file that is there and is not a state of the registry; it is left as it is. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError';
  readonly code = 'REGISTRY_STATE_FILE';
}

/** One file with everything that a registry knows, replaced as a whole. */
export class StateFile {
  readonly path: string;

  constructor(private readonly folder: string) {
    this.path = join(folder, FILE_NAME);
  }

  /**
   * What was saved last; makes the folder when it is missing.
   * @returns undefined when nothing was
   * @throws StateFileError; the error of the file system
   */
  async read(): Promise<RegistryState | undefined> {
    await mkdir(this.folder, { recursive: true });
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    return this.#parse(text);
  }

  /** Replaces the file: a reader, or a start after a power cut, sees the old one or the new one, whole. */
  async write(state: RegistryState): Promise<void> {
    // Somebody may have removed it while the registry was running.
    await mkdir(this.folder, { recursive: true });
    const temporary = `${this.path}.new`;
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify({ format: FORMAT, ...state }));
      // Otherwise the new name may be on the disk before the content.
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, this.path);
  }

  #parse(text: string): RegistryState {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      throw new StateFileError(`${this.path} is no JSON: ${String(error)}; move it away to begin anew`);
    }
    if (!isObject(json) || json['format'] !== FORMAT || !isState(json)) {
      throw new StateFileError(`${this.path} is no state of this version of the registry; move it away to begin anew`);
    }
    return json;
  }
}

/** Looks at the shape only: the file is written by nobody else. */
function isState(json: object): json is RegistryState {
  if (!('tenants' in json) || !isObject(json.tenants)) return false;
  return Object.values(json.tenants).every(
    (tenant) =>
      isObject(tenant) &&
      Array.isArray(tenant['services']) &&
      Array.isArray(tenant['instances']) &&
      isObject(tenant['dependencies']),
  );
}
