import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The lock file names no registry: whoever installs uses the registry of their own configuration.
 *
 * @param {string} root
 * @returns {string[]} problems
 */
export function checkLockFile(root) {
  const problems = [];
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  for (const [name, entry] of Object.entries(packages)) {
    if (entry.resolved === undefined || entry.link === true) continue;
    problems.push(
      `package-lock.json: ${name} says where it was downloaded from (${entry.resolved}); ` +
        'keep omit-lockfile-registry-resolved=true in .npmrc and run npm install --package-lock-only.',
    );
  }
  const npmrc = path.join(root, '.npmrc');
  if (existsSync(npmrc) && /registry\s*=\s*\S*\/\//.test(readFileSync(npmrc, 'utf8'))) {
    problems.push('.npmrc: names a registry; that belongs into the configuration of the user.');
  }
  return problems;
}
