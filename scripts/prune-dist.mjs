// Removes from every dist folder what was compiled from a source file that is gone. `tsc -b` leaves it lying there, and mocha
// would go on running the tests of a module that no longer exists.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const COMPILED = /\.(?:js|js\.map|d\.ts|d\.ts\.map)$/;
const root = fileURLToPath(new URL('../', import.meta.url));

function subfolders(folder) {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${folder}/${entry.name}`);
}

for (const folder of [...subfolders('packages'), ...subfolders('examples'), 'bench', 'e2e']) {
  const dist = path.join(root, folder, 'dist');
  if (!existsSync(dist)) continue;
  for (const file of readdirSync(dist, { recursive: true })) {
    if (!COMPILED.test(file)) continue;
    const sources = [file.replace(COMPILED, '.ts'), file].map((name) => path.join(root, folder, 'src', name));
    if (!sources.some(existsSync)) rmSync(path.join(dist, file), { force: true });
  }
}
