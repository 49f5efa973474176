import { readdirSync } from 'node:fs';
import path from 'node:path';

/** Folders that hold what was made or fetched, not written. */
const NOT_WRITTEN = new Set(['node_modules', 'dist', 'coverage', '.git', '.cache', '.nx']);

/**
 * Every file of the repository that somebody wrote, as sorted paths below `root` with forward slashes. Walks the folders
 * instead of asking git, so it also works on an unpacked archive.
 *
 * @param {string} root
 * @returns {string[]}
 */
export function writtenFiles(root) {
  const found = [];
  const walk = (folder) => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const relative = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!NOT_WRITTEN.has(entry.name)) walk(relative);
      } else if (entry.isFile() && !entry.name.endsWith('.log')) found.push(relative);
    }
  };
  walk('');
  return found.sort();
}
