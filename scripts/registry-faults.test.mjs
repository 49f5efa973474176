import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const GUIDES = path.join(ROOT, 'docs/guides');

/** The title of a test, or of a group of tests, that shows a row: `fault 4 (partition): ...`. */
const TITLE = /(?:describe|it)\(\s*['"`]fault (\d+) \(([^)]+)\)/g;

const page = readFileSync(path.join(GUIDES, 'registry-faults.md'), 'utf8');

/** The rows of the table: number, name, and the files that are linked. */
const rows = [...page.matchAll(/^\| (\d+) +\| ([^|]+?) +\|(.*)$/gm)].map(([, number, name, rest]) => ({
  number,
  name,
  files: [...rest.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => path.relative(ROOT, path.join(GUIDES, link))),
}));

/** Numbers and names in the titles of a file. */
function faultsIn(file) {
  return [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(TITLE)].map(([, number, name]) => ({ number, name }));
}

function testFiles() {
  return readdirSync(path.join(ROOT, 'packages'), { recursive: true })
    .filter((file) => /^[^/]+\/src\/.*\.test\.ts$/.test(file))
    .map((file) => `packages/${file}`);
}

describe('the guide on registry faults', () => {
  it('has a table, with one row for each fault', () => {
    const numbers = rows.map(({ number }) => number);
    expect(numbers.length).to.be.greaterThan(15);
    expect(new Set(numbers).size).to.equal(numbers.length);
  });

  for (const { number, name, files } of rows) {
    it(`links tests that show fault ${number} (${name})`, () => {
      expect(files).to.not.be.empty;
      for (const file of files) {
        const numbers = faultsIn(file).map((fault) => fault.number);
        expect(numbers, file).to.include(number);
      }
      const names = files.flatMap((file) => faultsIn(file).filter((fault) => fault.number === number));
      expect(names.map((fault) => fault.name)).to.include(name);
    });
  }

  it('leaves out no fault that a package has a test for', () => {
    const packageOf = (file) => file.split('/')[1];
    const missing = testFiles().flatMap((file) =>
      faultsIn(file)
        .filter(({ number }) => {
          const row = rows.find((candidate) => candidate.number === number);
          return row === undefined || !row.files.some((linked) => packageOf(linked) === packageOf(file));
        })
        .map(({ number }) => `${number}: ${file}`),
    );
    expect([...new Set(missing)]).to.deep.equal([]);
  });

  it('promises what the test with real sidecars shows', () => {
    const source = readFileSync(path.join(ROOT, 'e2e/src/registry-faults.test.ts'), 'utf8');
    const promises = [...page.matchAll(/^- `([^`]+)`$/gm)].map(([, title]) => title);
    expect(promises).to.have.length(6);
    for (const title of promises) expect(source).to.include(title);
  });
});
