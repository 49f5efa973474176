// Checks what neither the compiler nor ESLint sees: manifests, lock file, links, names, generated pages. Needs a built tree.
import { fileURLToPath } from 'node:url';
import { stalePages } from './reference/pages.mjs';
import { writtenFiles } from './repository/files.mjs';
import { checkLockFile } from './repository/lock-file.mjs';
import { checkMachinePaths } from './repository/machine-paths.mjs';
import { checkMarkdownLinks, checkReadme } from './repository/markdown.mjs';
import { checkPackages } from './repository/package-manifests.mjs';
import { checkSourceNames } from './repository/source-names.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const files = writtenFiles(root);

const problems = [
  ...checkLockFile(root),
  ...checkMachinePaths(root, files),
  ...checkPackages(root, files),
  ...checkSourceNames(files),
  ...checkReadme(root),
  ...checkMarkdownLinks(root, files),
  ...(await stalePages(root)).map((page) => `${page}: is not what the code says; run npm run docs:reference`),
];

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`\n${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in the repository.`);
  process.exitCode = 1;
} else console.log(`Repository: ${files.length} files checked.`);
