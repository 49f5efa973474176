import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MeshError } from '../errors.js';
import { isPlugin, type AnyPlugin } from './define-plugin.js';

/** True for what can only be a module: a path, or a package with a scope or a subpath. */
export function looksLikeModule(text: string): boolean {
  return text.startsWith('.') || isAbsolute(text) || text.includes('/');
}

/**
 * Loads a module and finds the plugins among its exports.
 * @param specifier a path (relative ones start at `confDir`) or the name of a package that is installed there or above
 * @throws MeshError MESH_ERR_PLUGIN_LOAD when it cannot be loaded or holds no plugin
 */
export async function loadPlugins(specifier: string, confDir: string): Promise<readonly AnyPlugin[]> {
  let exported: Record<string, unknown>;
  try {
    exported = (await import(locate(specifier, confDir))) as Record<string, unknown>;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MeshError('MESH_ERR_PLUGIN_LOAD', `the plugin module '${specifier}' cannot be loaded: ${reason}`, {
      cause: error,
    });
  }
  const plugins = new Set(Object.values(exported).filter(isPlugin));
  if (plugins.size === 0) {
    throw new MeshError(
      'MESH_ERR_PLUGIN_LOAD',
      `the module '${specifier}' exports no plugin; export what definePlugin({ kind, name, create }) of @mesher/core returns`,
    );
  }
  return [...plugins];
}

function locate(specifier: string, confDir: string): string {
  if (specifier.startsWith('.') || isAbsolute(specifier)) return pathToFileURL(resolve(confDir, specifier)).href;
  // Packages are looked up where the user installed them, beside the configuration, not beside Mesher.
  return pathToFileURL(createRequire(join(resolve(confDir), 'x.js')).resolve(specifier)).href;
}
