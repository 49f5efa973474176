import path from 'node:path';
import { onModuleSpecifier } from './import-forms.mjs';

/** The folders below the root that hold one package each. */
const PACKAGE_FOLDER = /^(packages|examples)\/([^/]+)\/(.*)$/;

/** `@mesher/core` or `@mesher/core/testing`, split into the package and its subpath. */
const OWN_SCOPE = /^@mesher\/([^/]+)(\/.*)?$/;

function locate(root, filename) {
  const relative = path.relative(root, path.resolve(root, filename)).split(path.sep).join('/');
  const match = PACKAGE_FOLDER.exec(relative);
  if (match)
    return { relative, folder: `${match[1]}/${match[2]}`, name: match[1] === 'packages' ? match[2] : undefined };
  return { relative, folder: relative.split('/')[0], name: undefined };
}

function isTestCode(relative) {
  return /\.test\.[cm]?[jt]s$/.test(relative) || relative.split('/').includes('testing');
}

/** The folder that a relative specifier leads out of, when it leaves the package of the importing file. */
function leavesPackage(place, specifier) {
  if (!specifier.startsWith('.')) return undefined;
  const target = path.posix.join(path.posix.dirname(place.relative), specifier);
  return target.startsWith(`${place.folder}/`) || target === place.folder ? undefined : target;
}

/**
 * Holds the arrows between the packages and the homes of the libraries.
 *
 * Options: `root` (absolute folder of the repository), `arrows` (package → packages that it may import; a package that is not
 * listed may import all), `homes` (`{ module, in, because }`: a library and the path prefixes that may import it; an entry of
 * `in` that is `tests` stands for test files and `testing` folders).
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const importBoundaries = {
  meta: {
    type: 'problem',
    docs: { description: 'hold the direction of imports between packages and the home of each library' },
    schema: [{ type: 'object' }],
    messages: {
      arrow: '@mesher/{{from}} must not import @mesher/{{to}}: {{allowed}}.',
      deep: "'{{specifier}}' reaches into the inside of another package; import what its package.json exports.",
      self: "A package imports its own modules by relative path, not as '{{specifier}}'.",
      outside: "'{{specifier}}' leaves the package; import the other package by its name.",
      home: "'{{specifier}}' belongs to {{homes}}: {{because}}",
    },
  },
  create(context) {
    const { root, arrows = {}, homes = [] } = context.options[0] ?? {};
    const place = locate(root ?? context.cwd, context.filename);
    const test = isTestCode(place.relative);

    function checkOwnScope(node, specifier, to, subpath) {
      if (subpath !== undefined && /^\/(dist|src)(\/|$)/.test(subpath)) {
        context.report({ node, messageId: 'deep', data: { specifier } });
      }
      if (place.name === undefined) return;
      if (to === place.name) {
        context.report({ node, messageId: 'self', data: { specifier } });
        return;
      }
      const allowed = arrows[place.name];
      if (allowed === undefined || allowed.includes(to)) return;
      const names = allowed.map((name) => `@mesher/${name}`).join(', ');
      context.report({
        node,
        messageId: 'arrow',
        data: {
          from: place.name,
          to,
          allowed: allowed.length === 0 ? 'it stands below all other packages' : `it may import ${names} only`,
        },
      });
    }

    function checkHome(node, specifier) {
      for (const home of homes) {
        if (specifier !== home.module && !specifier.startsWith(`${home.module}/`)) continue;
        const allowed = home.in.some((entry) => (entry === 'tests' ? test : place.relative.startsWith(entry)));
        if (allowed) continue;
        context.report({
          node,
          messageId: 'home',
          data: { specifier, homes: home.in.join(', ') || 'nobody', because: home.because },
        });
      }
    }

    return onModuleSpecifier((node, specifier) => {
      const own = OWN_SCOPE.exec(specifier);
      if (own) checkOwnScope(node, specifier, own[1], own[2]);
      else if (leavesPackage(place, specifier) !== undefined) {
        context.report({ node, messageId: 'outside', data: { specifier } });
      } else checkHome(node, specifier);
    });
  },
};
