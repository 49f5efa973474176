import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { composeSections, type Sections } from './compose-sections.js';
import { MeshDocument } from './document.js';
import { readSources, type SourceLayer } from './layers/config-sources.js';
import { readEnvironment, readOverrides } from './layers/environment.js';
import { readNetrameshVariables } from './layers/netramesh-variables.js';
import { readTracingVariables } from './layers/tracing-variables.js';
import { FILE_LIMITS, readConfigFiles, type FileLimits } from './layers/files.js';
import { mergeLayers } from './layers/merge.js';
import { LEGACY_KEYS } from './legacy-keys.js';
import { RunningConfiguration, type RestartNeed } from './live/running-configuration.js';
import { missingMarks } from './missing-marks.js';
import { sortProblems, type Notice, type Origin, type Problem } from './problem.js';
import { LegacyRenamer } from './rename-legacy.js';
import { ReadContext, type EffectiveValue } from './schema/read-context.js';
import { knownKeys } from './schema/reference.js';
import type { GroupValue } from './schema/object.js';
import { CORE_SECTIONS } from './sections/index.js';
import type { ConfigNode } from './tree/config-node.js';
import type { Environment } from './yaml/placeholders.js';

export interface ConfigurationSources {
  /** Folder of the configuration files; it may be missing when the environment or `overrides` say enough. */
  readonly confDir: string;
  /** Path of mesher.yaml when it stands elsewhere; it must exist. */
  readonly meshConfigFile?: string | undefined;
  readonly env: Environment;
  /** What config sources say; they win over everything else, and of two the later one. */
  readonly sources?: readonly SourceLayer[];
  /** Values by dotted key; they win over files and environment. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** Sections of packages besides those of core; a section of core at the same key is replaced. */
  readonly sections?: Sections;
  readonly limits?: FileLimits;
  /**
   * What this process was started with: its values stay where a change needs a restart (`RESTART_KEYS`). What was found there is
   * checked all the same.
   */
  readonly running?: RunningConfiguration;
}

export interface LoadedConfiguration {
  /** Undefined when there are errors. */
  readonly document: MeshDocument | undefined;
  /** All mistakes at once; each stops the start. By file and line. */
  readonly errors: readonly Problem[];
  /** What the user should know. By file and line. */
  readonly notices: readonly Notice[];
  /** Every value that counts, with its origin; secrets are masked. By key. */
  readonly effective: readonly EffectiveValue[];
  /** Absolute paths of the files that were read. */
  readonly files: readonly string[];
  /** Changes that take effect with the next start; empty without `running`. By key. */
  readonly needsRestart: readonly RestartNeed[];
  /** To be given as `running` to later loads. Undefined when there are errors. */
  readonly asRunning: RunningConfiguration | undefined;
}

const SERVICE_NAME = 'servicecomb.service.name';

/** Keys of the registry that say nothing about which registry to use. */
const NEUTRAL_REGISTRY_KEYS: readonly string[] = ['project', 'consul'];

/**
 * Reads files, environment, overrides and config sources (the later ones win), checks everything and makes the document. Mistakes of the user
 * are returned, never thrown.
 * @throws TypeError when `sections` contradict each other: a mistake in the program
 */
export async function loadConfiguration(sources: ConfigurationSources): Promise<LoadedConfiguration> {
  const sections: Sections = { ...CORE_SECTIONS, ...sources.sections };
  const schema = composeSections(sections);
  const renamer = new LegacyRenamer(LEGACY_KEYS);

  const files = await readConfigFiles(
    sources.confDir,
    sources.meshConfigFile,
    sources.env,
    sources.limits ?? FILE_LIMITS,
  );
  const renamed = renamer.rename(files.entries);
  // Loaded by now: the files were read with it.
  const { parseYaml, parseYamlText } = await import('./yaml/parse-yaml.js');
  const fromSources = readSources(sources.sources ?? [], renamer, parseYaml);
  const isNamed = Object.hasOwn(sources.overrides ?? {}, 'servicecomb.service.name');
  const tracing = readTracingVariables(sources.env, renamed.entries, isNamed);
  const netramesh = readNetrameshVariables(sources.env, schema, renamed.entries);
  const merged = mergeLayers(
    renamed.entries,
    tracing.entries,
    netramesh.entries,
    readEnvironment(sources.env, schema, renamer),
    readOverrides(sources.overrides ?? {}, renamer),
    fromSources.entries,
  );

  const keys = (): readonly string[] => knownKeys(schema);
  let context = new ReadContext(keys, parseYamlText);
  let root = schema.read(merged.tree, '', context) as GroupValue | undefined;
  const { notices } = context;
  const errors = [...files.problems, ...fromSources.problems, ...context.problems];
  if (errors.length === 0 && findLeaf(merged.tree, SERVICE_NAME) === undefined) {
    errors.push(missingName(sources.confDir));
  }
  let needsRestart: readonly RestartNeed[] = [];
  if (errors.length === 0 && sources.running !== undefined) {
    needsRestart = sources.running.differences(context);
    if (needsRestart.length > 0) {
      // Read again as a whole, so that the document is one that could have been loaded from files.
      sources.running.graftInto(merged.tree);
      context = new ReadContext(keys, parseYamlText);
      root = schema.read(merged.tree, '', context) as GroupValue | undefined;
      errors.push(...context.problems);
    }
  }
  const effective = [...context.effective].sort((a, b) => (a.key < b.key ? -1 : 1));
  const document =
    errors.length > 0 || root === undefined
      ? undefined
      : new MeshDocument(sections, root, hashContent(context), isRegistryConfigured(merged.tree));
  return {
    document,
    errors: sortProblems(errors),
    notices: sortProblems([
      ...files.notices,
      ...renamed.notices,
      ...fromSources.notices,
      ...tracing.notices,
      ...netramesh.notices,
      ...merged.notices,
      ...notices,
      ...(document === undefined ? [] : missingMarks(document, context)),
    ]),
    effective,
    files: files.files,
    needsRestart,
    asRunning: document === undefined ? undefined : new RunningConfiguration(merged.tree, context.values, effective),
  };
}

function missingName(confDir: string): Problem {
  const file = join(confDir, 'microservice.yaml');
  const origin: Origin = { layer: 'file', file, line: 1, column: 1 };
  const message = `the service has no name: set ${SERVICE_NAME} in ${file}, or the environment variable CAS_COMPONENT_NAME`;
  return { origin, path: SERVICE_NAME, message };
}

function findNode(tree: ConfigNode, path: readonly string[]): ConfigNode | undefined {
  let node: ConfigNode | undefined = tree;
  for (const key of path) {
    node = node?.children.get(key);
  }
  return node;
}

function findLeaf(tree: ConfigNode, key: string): string | undefined {
  const leaf = findNode(tree, key.split('.'))?.leaf;
  return leaf?.kind === 'scalar' && leaf.text !== '' ? leaf.text : undefined;
}

function isRegistryConfigured(tree: ConfigNode): boolean {
  const registry = findNode(tree, ['servicecomb', 'registry']);
  return [...(registry?.children ?? [])].some(([key, node]) => node.isSet && !NEUTRAL_REGISTRY_KEYS.includes(key));
}

function hashContent(context: ReadContext): string {
  const hash = createHash('sha256');
  for (const line of [...context.content].sort()) {
    // The length in front keeps two lines from being mistaken for one with a line break in its value.
    hash.update(`${line.length}:${line}\n`);
  }
  return hash.digest('hex');
}
