import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { onModuleSpecifier } from './import-forms.mjs';

function packageNameOf(specifier) {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}

function nearestManifest(filename) {
  for (let folder = path.dirname(filename); ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    if (existsSync(file)) return { folder, manifest: JSON.parse(readFileSync(file, 'utf8')) };
    if (folder === path.dirname(folder)) return { folder, manifest: {} };
  }
}

/** True for tests, for private packages, and for what lies in a folder that `files` leaves out (`!dist/testing`). */
function isUnpublished({ folder, manifest }, filename) {
  if (manifest.private === true || /\.test\.[cm]?[jt]s$/.test(filename)) return true;
  const built = path
    .relative(folder, filename)
    .split(path.sep)
    .join('/')
    .replace(/^src\//, 'dist/');
  return (manifest.files ?? []).some((entry) => entry.startsWith('!') && built.startsWith(`${entry.slice(1)}/`));
}

/**
 * A package imports what its own package.json declares. In a workspace everything is hoisted to one folder, so a forgotten
 * dependency works here and fails at the user's. Tests, and folders that are not published, may also use development dependencies, their own
 * and the root's.
 *
 * Option: `rootDevDependencies`, the names that the root offers to tests.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const declaredDependencies = {
  meta: {
    type: 'problem',
    docs: { description: 'require imported packages to be declared by the importing package' },
    schema: [{ type: 'object' }],
    messages: {
      undeclared: "'{{name}}' is not among the dependencies of {{owner}}; add it to that package.json.",
      development: "'{{name}}' is only a development dependency of {{owner}}, but this file is published.",
    },
  },
  create(context) {
    const { rootDevDependencies = [] } = context.options[0] ?? {};
    const place = nearestManifest(context.filename);
    const { manifest } = place;
    const runtime = new Set(
      [manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies].flatMap((group) =>
        Object.keys(group ?? {}),
      ),
    );
    const development = new Set(Object.keys(manifest.devDependencies ?? {}));
    const published = !isUnpublished(place, context.filename);
    const owner = manifest.name ?? 'this package';

    return onModuleSpecifier((node, specifier) => {
      if (specifier.startsWith('.') || specifier.startsWith('#') || isBuiltin(specifier)) return;
      const name = packageNameOf(specifier);
      if (name === manifest.name || runtime.has(name)) return;
      if (!published && (development.has(name) || rootDevDependencies.includes(name))) return;
      const messageId = development.has(name) ? 'development' : 'undeclared';
      context.report({ node, messageId, data: { name, owner } });
    });
  },
};
