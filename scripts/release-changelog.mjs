// Gives the part "Unreleased" of CHANGELOG.md the new version. Run by lerna after it set the version and before it commits; with
// --check before it touches anything, to stop a release that says nothing.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}lerna.json`, 'utf8'));
const changelog = readFileSync(`${root}CHANGELOG.md`, 'utf8');

const UNRELEASED = '## Unreleased\n';
const start = changelog.indexOf(UNRELEASED);
const next = changelog.indexOf('\n## ', start + UNRELEASED.length);
const entries = changelog.slice(start + UNRELEASED.length, next < 0 ? undefined : next);
if (start < 0 || !/^- /m.test(entries)) {
  console.error('CHANGELOG.md says nothing under "## Unreleased"; write down what changes for users, then release.');
  process.exit(1);
}

if (process.argv.includes('--check')) process.exit(0);

const today = new Date().toISOString().slice(0, 10);
const released = `${UNRELEASED}\n### Runtime behaviour changes\n\n## ${version} - ${today}\n`;
writeFileSync(`${root}CHANGELOG.md`, changelog.slice(0, start) + released + changelog.slice(start + UNRELEASED.length));
execFileSync('git', ['add', 'CHANGELOG.md'], { cwd: root });
