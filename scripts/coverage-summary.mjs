// Prints what c8 measured: one line per package, then the files with the most lines that no test reaches.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SUMMARY = path.join(ROOT, 'coverage/coverage-summary.json');
const METRICS = ['lines', 'branches', 'functions'];
/** How many of the least covered files are named. */
const NAMED_FILES = 5;
/** A file with fewer unreached lines than this is not worth naming. */
const WORTH_NAMING = 10;

/** True for a module of types only. Nothing of it is left to run, so c8 would count its whole text as unreached. */
function hasNoCode(sourceFile) {
  const built = path.join(ROOT, sourceFile.replace('/src/', '/dist/').replace(/\.ts$/, '.js'));
  if (!existsSync(built)) return true; // left over from a source file that is gone
  const code = readFileSync(built, 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*$/gm, '');
  return /^\s*(export \{\};)?\s*$/.test(code);
}

function percent({ covered, total }) {
  return total === 0 ? '100.0 %' : `${((100 * covered) / total).toFixed(1)} %`;
}

if (!existsSync(SUMMARY)) {
  console.error('There is no coverage to print; run npm test.');
  process.exit(1);
}

const files = Object.entries(JSON.parse(readFileSync(SUMMARY, 'utf8')))
  .filter(([file]) => file !== 'total')
  .map(([file, metrics]) => ({ file: path.relative(ROOT, file).split(path.sep).join('/'), ...metrics }))
  .filter(({ file }) => !hasNoCode(file));

const packages = new Map();
for (const entry of files) {
  const name = entry.file.split('/').slice(0, 2).join('/');
  packages.set(name, [...(packages.get(name) ?? []), entry]);
}

console.log(`\n${'Coverage'.padEnd(24)}${METRICS.map((metric) => metric.padStart(11)).join('')}`);
for (const [name, entries] of packages) {
  const sums = METRICS.map((metric) =>
    entries.reduce(
      (sum, entry) => ({ covered: sum.covered + entry[metric].covered, total: sum.total + entry[metric].total }),
      { covered: 0, total: 0 },
    ),
  );
  console.log(name.padEnd(24) + sums.map((sum) => percent(sum).padStart(11)).join(''));
}

const least = files
  .map(({ file, lines }) => ({ file, lines, unreached: lines.total - lines.covered }))
  .filter(({ unreached }) => unreached >= WORTH_NAMING)
  .sort((a, b) => b.unreached - a.unreached)
  .slice(0, NAMED_FILES);
if (least.length > 0) console.log('Most lines that no test reaches:');
for (const { file, lines, unreached } of least) console.log(`  ${file}: ${unreached} of ${lines.total}`);
