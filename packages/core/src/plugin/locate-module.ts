import { existsSync, readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Conditions of `exports` in a package.json that hold for `import` in Node. */
const CONDITIONS: ReadonlySet<string> = new Set(['node', 'import', 'default']);

/** True for what can only be a module: a path, or a package with a scope or a subpath. */
export function looksLikeModule(text: string): boolean {
  return text.startsWith('.') || isAbsolute(text) || text.includes('/');
}

/** True when `specifier` is a package that can be found from the configuration folder. */
export function isInstalledPackage(specifier: string, confDir: string): boolean {
  if (looksLikePath(specifier) || isBuiltin(specifier)) return false;
  try {
    locateModule(specifier, confDir);
    return true;
  } catch {
    return false;
  }
}

/**
 * The URL to import for a path (relative ones start at `confDir`), a `file:` URL, or the name of a package. Packages are looked up where
 * the user installed them, beside the configuration or above, not beside Mesher.
 * @throws Error of Node when there is no such package
 */
export function locateModule(specifier: string, confDir: string): string {
  if (specifier.startsWith('file:')) return specifier;
  if (looksLikePath(specifier)) return pathToFileURL(resolve(confDir, specifier)).href;
  const require = createRequire(join(resolve(confDir), 'x.js'));
  try {
    return pathToFileURL(require.resolve(specifier)).href;
  } catch (error) {
    // `require.resolve` does not see packages that export for `import` only, and Node has no other way to start from a folder.
    const found = isNotExported(error) ? locateForImport(specifier, require.resolve.paths(specifier) ?? []) : undefined;
    if (found !== undefined) return pathToFileURL(found).href;
    throw error;
  }
}

function looksLikePath(specifier: string): boolean {
  return specifier.startsWith('.') || specifier.startsWith('file:') || isAbsolute(specifier);
}

function isNotExported(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
}

/** https://nodejs.org/api/esm.html#resolution-algorithm-specification, PACKAGE_RESOLVE, without patterns. */
function locateForImport(specifier: string, folders: readonly string[]): string | undefined {
  const parts = specifier.split('/');
  const name = parts.splice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  const subpath = ['.', ...parts].join('/');
  for (const folder of folders) {
    const manifest = join(folder, name, 'package.json');
    if (!existsSync(manifest)) continue;
    const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as { exports?: unknown };
    const target = targetOf(exportsAt(exports, subpath));
    return target === undefined ? undefined : join(folder, name, target);
  }
  return undefined;
}

function exportsAt(exports: unknown, subpath: string): unknown {
  const hasSubpaths = isRecord(exports) && Object.keys(exports).some((key) => key.startsWith('.'));
  if (hasSubpaths) return exports[subpath];
  return subpath === '.' ? exports : undefined;
}

function targetOf(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (Array.isArray(target)) return target.map(targetOf).find((one) => one !== undefined);
  if (!isRecord(target)) return undefined;
  for (const [condition, inner] of Object.entries(target)) {
    const found = CONDITIONS.has(condition) ? targetOf(inner) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
