import { MeshError } from '../errors.js';
import { PLUGIN_KINDS, isPlugin, type AnyPlugin } from './define-plugin.js';
import { locateModule } from './locate-module.js';

/** A name stands in configuration, also as part of a key (`plugin.settings.NAME`). */
const PLUGIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/**
 * Loads a module, of ES or CommonJS form, and finds the plugins among its exports.
 * @param specifier a path (relative ones start at `confDir`) or the name of a package that is installed there or above
 * @throws MeshError MESH_ERR_PLUGIN_LOAD when it cannot be loaded, holds no plugin, or one that this version cannot use
 */
export async function loadPlugins(specifier: string, confDir: string): Promise<readonly AnyPlugin[]> {
  let exported: Record<string, unknown>;
  try {
    exported = (await import(locateModule(specifier, confDir))) as Record<string, unknown>;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MeshError('MESH_ERR_PLUGIN_LOAD', `the plugin module '${specifier}' cannot be loaded: ${reason}`, {
      cause: error,
    });
  }
  const plugins = new Set(valuesOf(exported).filter(isPlugin));
  if (plugins.size === 0) {
    throw new MeshError(
      'MESH_ERR_PLUGIN_LOAD',
      `the module '${specifier}' exports no plugin; export what definePlugin({ kind, name, create }) of @mesher/core returns`,
    );
  }
  for (const plugin of plugins) {
    const wrong = whatIsWrong(plugin);
    if (wrong !== undefined) throw new MeshError('MESH_ERR_PLUGIN_LOAD', `the module '${specifier}': ${wrong}`);
  }
  return [...plugins];
}

/** `module.exports = { byPath }` arrives as the default export when Node cannot tell the names beforehand. */
function valuesOf(exported: Record<string, unknown>): unknown[] {
  const { default: whole } = exported;
  const inner = typeof whole === 'object' && whole !== null && !isPlugin(whole) ? Object.values(whole) : [];
  return [...Object.values(exported), ...inner];
}

/** A plugin comes from a program that the compiler has not seen. */
function whatIsWrong({ kind, name, create }: AnyPlugin): string | undefined {
  if (typeof name !== 'string' || !PLUGIN_NAME.test(name)) {
    return `a plugin is named ${JSON.stringify(name)}; use letters, digits, '-' and '_'`;
  }
  if (!PLUGIN_KINDS.includes(kind)) {
    return `the plugin '${name}' is of the kind ${JSON.stringify(kind)}; known are ${PLUGIN_KINDS.join(', ')}`;
  }
  return typeof create === 'function' ? undefined : `the plugin '${name}' has no function 'create'`;
}
