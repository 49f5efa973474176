import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Notice, Origin, Problem } from '../problem.js';
import { nearestName } from '../schema/nearest.js';
import type { ConfigEntry, ConfigNode, Leaf } from '../tree/config-node.js';
import { YAML_LIMITS, type YamlLimits } from '../yaml/limits.js';
import { fillPlaceholders, placeholderWithoutDefault, type Environment } from '../yaml/placeholders.js';

/** The files of a configuration folder, in the order they are read: of two files that set the same key the later one wins. */
export const CONFIG_FILES = [
  'chassis.yaml',
  'microservice.yaml',
  'router.yaml',
  'egress.yaml',
  'fault.yaml',
  'rate_limiting.yaml',
  'load_balancing.yaml',
  'circuit_breaker.yaml',
  'tls.yaml',
  'auth.yaml',
  'tracing.yaml',
  'lager.yaml',
  'monitoring.yaml',
  'mesher.yaml',
] as const;

const MESH_FILE = 'mesher.yaml';
const YAML_ENDING = '.yaml';

export interface FileLimits extends YamlLimits {
  /** Largest file, in bytes. */
  readonly maxFileBytes: number;
}

/** 1 MiB: the size at which Kubernetes refuses a ConfigMap, so no real file is larger. */
export const FILE_LIMITS: FileLimits = { ...YAML_LIMITS, maxFileBytes: 1024 * 1024 };

export interface ReadFiles {
  readonly entries: readonly ConfigEntry[];
  readonly problems: readonly Problem[];
  readonly notices: readonly Notice[];
  /** Absolute paths of the files that were read, for watching. */
  readonly files: readonly string[];
}

/**
 * Reads the files of a configuration folder. Files that are not there are skipped, except one that was named explicitly.
 * @param meshConfigFile path of mesher.yaml when it stands elsewhere; then the one in the folder is not read
 */
export async function readConfigFiles(
  confDir: string,
  meshConfigFile: string | undefined,
  env: Environment,
  limits: FileLimits = FILE_LIMITS,
): Promise<ReadFiles> {
  // Loaded here: it is a third of the time that importing core takes.
  const { parseYaml } = await import('../yaml/parse-yaml.js');
  const entries: ConfigEntry[] = [];
  const problems: Problem[] = [];
  const notices: Notice[] = [];
  const files: string[] = [];
  const names = CONFIG_FILES.filter((name) => meshConfigFile === undefined || name !== MESH_FILE);
  const candidates = [
    ...names.map((name) => ({ path: join(confDir, name), mustExist: false })),
    ...(meshConfigFile === undefined ? [] : [{ path: meshConfigFile, mustExist: true }]),
  ];
  for (const { path, mustExist } of candidates) {
    const content = await readText(path, mustExist, limits, problems);
    if (content === undefined) {
      continue;
    }
    files.push(resolve(path));
    const parsed = parseYaml(content, path, limits);
    problems.push(...parsed.problems);
    notices.push(...parsed.notices);
    for (const entry of parsed.entries) {
      entries.push({ ...entry, leaf: fillLeaf(entry.leaf, entry.path.join('.'), env, notices) });
    }
  }
  notices.push(...(await lookAround(confDir)));
  return { entries, problems, notices, files };
}

async function readText(
  path: string,
  mustExist: boolean,
  limits: FileLimits,
  problems: Problem[],
): Promise<string | undefined> {
  const origin: Origin = { layer: 'file', file: path, line: 1, column: 1 };
  try {
    const stats = await stat(path);
    if (!stats.isFile()) {
      problems.push({ origin, path: '', message: 'is no file (a folder or a device)' });
      return undefined;
    }
    if (stats.size > limits.maxFileBytes) {
      problems.push({
        origin,
        path: '',
        message: `is larger than ${limits.maxFileBytes} bytes; no configuration needs that`,
      });
      return undefined;
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      problems.push({ origin, path: '', message: describeReadError(code) });
    } else if (mustExist) {
      problems.push({ origin, path: '', message: 'does not exist; give the path of an existing file to --config' });
    }
    return undefined;
  }
}

function describeReadError(code: string | undefined): string {
  switch (code) {
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'is not UTF-8 text; save it as UTF-8';
    case 'EACCES':
    case 'EPERM':
      return 'cannot be read: the user of this process has no permission';
    default:
      return `cannot be read (${code ?? 'unknown error'})`;
  }
}

function fillLeaf(leaf: Leaf, path: string, env: Environment, notices: Notice[]): Leaf {
  if (leaf.kind === 'list') {
    leaf.items.forEach((item) => fillNode(item, path, env, notices));
    return leaf;
  }
  const text = fillPlaceholders(leaf.text, env);
  // Texts of several lines are rules and templates, where `${x}` may well mean something of its own.
  const left = text.includes('\n') ? undefined : placeholderWithoutDefault(leaf.text);
  if (left !== undefined) {
    const message = `'${left}' is left as it is: a placeholder needs a default, write '${left.slice(0, -1)}||}' for an empty one`;
    notices.push({ kind: 'hint', origin: leaf.origin, path, message });
  }
  return text === leaf.text ? leaf : { ...leaf, text };
}

function fillNode(node: ConfigNode, path: string, env: Environment, notices: Notice[]): void {
  if (node.leaf !== undefined) {
    node.leaf = fillLeaf(node.leaf, path, env, notices);
  }
  for (const child of node.children.values()) {
    fillNode(child, path, env, notices);
  }
}

/** What reading the known files does not show: a folder that is not there, and `chasis.yaml` beside them. */
async function lookAround(confDir: string): Promise<Notice[]> {
  const known = CONFIG_FILES.map((name) => name.slice(0, -YAML_ENDING.length));
  const names = await readdir(confDir).catch(() => undefined);
  if (names === undefined) {
    const message = 'the configuration folder does not exist or cannot be read; nothing was read from it';
    return [{ kind: 'hint', origin: { layer: 'file', file: confDir, line: 1, column: 1 }, path: '', message }];
  }
  return names.flatMap((name) => {
    const [, stem] = /^(.+)\.ya?ml$/.exec(name) ?? [];
    const isKnown = (CONFIG_FILES as readonly string[]).includes(name);
    const nearestStem = stem === undefined || isKnown ? undefined : nearestName(stem, known);
    const nearest = nearestStem === undefined ? undefined : `${nearestStem}${YAML_ENDING}`;
    return nearest === undefined || names.includes(nearest)
      ? []
      : [
          {
            kind: 'hint' as const,
            origin: { layer: 'file' as const, file: join(confDir, name), line: 1, column: 1 },
            path: '',
            message: `is not read; did you mean '${nearest}'?`,
          },
        ];
  });
}
