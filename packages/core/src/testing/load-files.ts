import { loadConfiguration, type ConfigurationSources, type LoadedConfiguration } from '../config/load.js';
import { formatProblems, type Problem } from '../config/problem.js';
import { withFolder } from './temporary-folder.js';

/** A microservice.yaml that says no more than it must. */
export const NAMED = { 'microservice.yaml': 'servicecomb.service.name: orders\n' };

export type Files = Readonly<Record<string, string | Uint8Array>>;

export interface LoadedFiles extends LoadedConfiguration {
  /** Problems or notices as the terminal shows them, with paths that start at the folder. */
  readonly said: (problems: readonly Problem[]) => string[];
}

/** Loads a new folder with these files. For tests. */
export async function loadFiles(files: Files, sources: Partial<ConfigurationSources> = {}): Promise<LoadedFiles> {
  return await withFolder(files, async (folder) => {
    const loaded = await loadConfiguration({ confDir: folder, env: {}, ...sources });
    const said = (problems: readonly Problem[]): string[] =>
      formatProblems(problems)
        .replaceAll(`${folder}/`, '')
        .split('\n')
        .filter((line) => line !== '');
    return { ...loaded, said };
  });
}
