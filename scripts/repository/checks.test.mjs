import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { writtenFiles } from './files.mjs';
import { checkLockFile } from './lock-file.mjs';
import { checkMachinePaths } from './machine-paths.mjs';
import { checkMarkdownLinks, checkReadme } from './markdown.mjs';
import { checkPackages } from './package-manifests.mjs';
import { checkSourceNames } from './source-names.mjs';

describe('the checks of the repository', () => {
  let root;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'repository-checks-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(file, content) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
  }

  it('look at written files, not at installed or compiled ones', () => {
    for (const file of [
      'a.md',
      'packages/a/src/b.ts',
      'packages/a/dist/b.js',
      'node_modules/c/d.js',
      'coverage/e.json',
    ]) {
      write(file, 'text');
    }
    expect(writtenFiles(root)).to.deep.equal(['a.md', 'packages/a/src/b.ts']);
  });

  describe('of the lock file', () => {
    it('accept links, and packages without an address', () => {
      write('package-lock.json', {
        packages: {
          'node_modules/@mesher/core': { resolved: 'packages/core', link: true },
          'node_modules/yaml': { version: '1.0.0', integrity: 'sha512-x', funding: { url: 'https://example.org' } },
        },
      });
      write('.npmrc', 'omit-lockfile-registry-resolved=true\n');
      expect(checkLockFile(root)).to.deep.equal([]);
    });

    it('report an address that a package was downloaded from, and a registry in .npmrc', () => {
      write('package-lock.json', {
        packages: { 'node_modules/yaml': { resolved: 'https://registry.example/yaml.tgz' } },
      });
      write('.npmrc', 'registry=https://registry.example/\n');
      const problems = checkLockFile(root);
      expect(problems).to.have.lengthOf(2);
      expect(problems[0]).to.include('node_modules/yaml');
    });
  });

  describe('of machine paths', () => {
    const home = ['', 'home', 'somebody', 'mesher'].join('/'); // in pieces, so that this file passes

    it('report a folder that exists on one machine only, with its line', () => {
      write('a.md', `first\nsee ${home}/notes\n`);
      expect(checkMachinePaths(root, ['a.md'])[0]).to.match(/^a\.md:2: /);
    });

    it('accept relative paths, URLs and paths inside of other paths', () => {
      write('a.md', `src${home}\nhttps://example.org${home}\n../work/notes\n/etc/mesher/conf\n`);
      expect(checkMachinePaths(root, ['a.md'])).to.deep.equal([]);
    });
  });

  describe('of packages', () => {
    const sound = {
      name: '@mesher/a',
      description: 'A.',
      license: 'Apache-2.0',
      type: 'module',
      engines: { node: '>=20.19' },
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' },
      files: ['dist', '!dist/**/*.test.*'],
    };

    function problemsOf(manifest) {
      write('package.json', { engines: { node: '>=20.19' } });
      write('LICENSE', 'licence text');
      write('packages/a/LICENSE', 'licence text');
      write('packages/a/README.md', '# @mesher/a\n');
      write('packages/a/package.json', manifest);
      return checkPackages(root, writtenFiles(root));
    }

    it('accept one that can be published', () => {
      expect(problemsOf(sound)).to.deep.equal([]);
    });

    it('report each field that is missing or different', () => {
      expect(problemsOf({ name: '@mesher/b' })).to.have.lengthOf(8);
    });

    it('report types that do not come first', () => {
      const exports = { ...sound.exports, '.': { default: './dist/index.js', types: './dist/index.d.ts' } };
      expect(problemsOf({ ...sound, exports })).to.match(/types must come first/);
    });

    it('report exports that lead to nothing once the package is built', () => {
      write('packages/a/dist/index.js', '');
      expect(problemsOf(sound)).to.match(/dist\/index\.d\.ts, which the build does not make/);
    });

    it('report a command that cannot be executed', () => {
      write('packages/a/bin/a.js', '#!/usr/bin/env node\n');
      expect(problemsOf({ ...sound, bin: { a: 'bin/a.js' } })).to.match(/executable/);
      chmodSync(path.join(root, 'packages/a/bin/a.js'), 0o755);
      expect(problemsOf({ ...sound, bin: { a: 'bin/a.js' } })).to.deep.equal([]);
    });

    it('report a missing README and another licence text', () => {
      problemsOf(sound);
      rmSync(path.join(root, 'packages/a/README.md'));
      write('packages/a/LICENSE', 'other text');
      const problems = checkPackages(root, writtenFiles(root));
      expect(problems).to.have.lengthOf(2);
    });
  });

  describe('of source names', () => {
    it('accept kebab-case, tests and declarations', () => {
      const files = [
        'packages/a/src/http1/head-scanner.ts',
        'packages/a/src/x.test.ts',
        'bench/src/y.d.ts',
        'eslint.config.js',
      ];
      expect(checkSourceNames(files)).to.deep.equal([]);
    });

    it('report other spellings, and names that say nothing', () => {
      const files = ['packages/a/src/HeadScanner.ts', 'packages/a/src/utils/x.ts', 'e2e/src/helpers.test.ts'];
      expect(checkSourceNames(files)).to.have.lengthOf(3);
    });
  });

  describe('of links', () => {
    it('accept files, folders, headings, other sites, and whatever stands in code', () => {
      write('docs/b.md', '# The `onread` way\n\n## Twice\n\n## Twice\n');
      write(
        'a.md',
        'see [b](docs/b.md#the-onread-way), [c](docs/b.md#twice-1), [d](docs), [e](https://example.org/x)\n',
      );
      write('docs/c.md', '[up](../a.md) `[no](nothing.md)`\n\n```md\n[no](nothing.md)\n```\n\n[ref]: b.md\n');
      expect(checkMarkdownLinks(root, ['a.md', 'docs/b.md', 'docs/c.md'])).to.deep.equal([]);
    });

    it('report files and headings that do not exist, and links out of the repository', () => {
      write('a.md', '# A\n\n[b](b.md) [c](#c) [d](../d.md)\n\n[e]: e.md\n');
      expect(checkMarkdownLinks(root, ['a.md'])).to.have.lengthOf(4);
    });
  });

  describe('of the README', () => {
    const block = (line) => `\`\`\`sh\n${line}\n\`\`\`\n`;

    function problemsOf(readme, scripts = { start: 'x', test: 'x' }) {
      write('README.md', readme);
      write('package.json', { scripts });
      return checkReadme(root);
    }

    it('accept both set-up commands in code blocks', () => {
      expect(problemsOf(`# Mesher\n\n${block('npm ci && npm start')}\n${block('npm cit')}`)).to.deep.equal([]);
    });

    it('report a command that is missing or only mentioned in passing', () => {
      const problems = problemsOf(`# Mesher\n\n${block('npm ci && npm start # runs')}\nthen npm cit\n`);
      expect(problems).to.have.lengthOf(2);
    });

    it('report a guide that nobody finds', () => {
      write('docs/guides/found.md', '');
      write('docs/guides/lost.md', '');
      const readme = `[found](docs/guides/found.md)\n${block('npm ci && npm start')}\n${block('npm cit')}`;
      expect(problemsOf(readme)).to.deep.equal(['README.md: has no link to docs/guides/lost.md.']);
    });

    it('report the wrong order, and commands that package.json does not know', () => {
      const problems = problemsOf(`${block('npm cit')}\n${block('npm ci && npm start')}`, { test: 'x' });
      expect(problems).to.have.lengthOf(2);
    });
  });
});
