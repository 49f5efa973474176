// Writes docs/reference from the built packages; with --check only compares, and fails when a page is out of date.
import { fileURLToPath } from 'node:url';
import { stalePages, writePages } from './reference/pages.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));

if (process.argv.includes('--check')) {
  const stale = await stalePages(root);
  for (const page of stale) console.error(`${page} is not what the code says.`);
  if (stale.length > 0) {
    console.error('Run: npm run docs:reference');
    process.exitCode = 1;
  }
} else {
  for (const line of await writePages(root)) console.log(line);
}
