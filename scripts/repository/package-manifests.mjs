import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** True when the owner may execute the file and it starts with `#!`. */
function isExecutable(file) {
  return (statSync(file).mode & 0o100) !== 0 && readFileSync(file, 'utf8').startsWith('#!');
}

/** Every file that `exports` leads to, whatever the nesting of conditions. */
function exportTargets(exports) {
  if (typeof exports === 'string') return [exports];
  return Object.values(exports ?? {}).flatMap(exportTargets);
}

function checkManifest(folder, manifest, engines) {
  const problems = [];
  const want = (holds, text) => {
    if (!holds) problems.push(`packages/${path.basename(folder)}/package.json: ${text}`);
  };
  want(manifest.name === `@mesher/${path.basename(folder)}`, 'the name is not @mesher/ and the name of the folder.');
  want(manifest.description, 'has no description.');
  want(manifest.license === 'Apache-2.0', 'the license is not Apache-2.0.');
  want(manifest.type === 'module', 'type is not module: Mesher is ESM only.');
  want(manifest.engines?.node === engines.node, `engines.node is not ${engines.node}, as in the root.`);
  want(manifest.files?.includes('dist'), 'files does not list dist, so the package would be published empty.');
  want(manifest.files?.includes('!dist/**/*.test.*'), 'files does not leave the tests out ("!dist/**/*.test.*").');
  want(manifest.exports?.['./package.json'], 'exports lacks "./package.json", which tools read.');
  for (const [subpath, target] of Object.entries(manifest.exports ?? {})) {
    if (typeof target === 'string') continue;
    want(
      Object.keys(target)[0] === 'types',
      `exports["${subpath}"]: types must come first, TypeScript takes the first match.`,
    );
    want(target.default, `exports["${subpath}"] has no default, so require() of an ES module would not find it.`);
  }
  if (existsSync(path.join(folder, 'dist'))) {
    for (const target of exportTargets(manifest.exports)) {
      want(existsSync(path.join(folder, target)), `exports leads to ${target}, which the build does not make.`);
    }
  }
  for (const target of Object.values(manifest.bin ?? {})) {
    const file = path.join(folder, target);
    want(existsSync(file) && isExecutable(file), `bin ${target} must be an executable file that starts with #!.`);
  }
  return problems;
}

/**
 * Every package can be published as it stands: manifest, README and licence text.
 *
 * @param {string} root
 * @param {readonly string[]} files
 * @returns {string[]} problems
 */
export function checkPackages(root, files) {
  const problems = [];
  const { engines } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const licence = readFileSync(path.join(root, 'LICENSE'), 'utf8');
  for (const file of files) {
    const name = /^packages\/([^/]+)\/package\.json$/.exec(file)?.[1];
    if (name === undefined) continue;
    const folder = path.join(root, 'packages', name);
    problems.push(...checkManifest(folder, JSON.parse(readFileSync(path.join(root, file), 'utf8')), engines));

    const readme = files.includes(`packages/${name}/README.md`) && readFileSync(path.join(folder, 'README.md'), 'utf8');
    if (!readme) problems.push(`packages/${name}: has no README.md; it is the page of the package in the registry.`);
    else if (!readme.startsWith(`# @mesher/${name}`)) {
      problems.push(`packages/${name}/README.md: must open with "# @mesher/${name}".`);
    }
    if (!existsSync(path.join(folder, 'LICENSE')) || readFileSync(path.join(folder, 'LICENSE'), 'utf8') !== licence) {
      problems.push(`packages/${name}: LICENSE is not the licence text of the root; run cp LICENSE packages/${name}/`);
    }
  }
  return problems;
}
