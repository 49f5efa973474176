import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { declaredDependencies } from './declared-dependencies.mjs';
import { typescriptRuleTester } from './rule-tester.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'declared-dependencies-'));
const options = [{ rootDevDependencies: ['chai'] }];

function manifest(name, content) {
  mkdirSync(path.join(folder, name, 'src'), { recursive: true });
  writeFileSync(path.join(folder, name, 'package.json'), JSON.stringify({ name, ...content }));
}
manifest('published', {
  dependencies: { yaml: '1.0.0', '@scope/a': '1.0.0' },
  devDependencies: { axios: '1.0.0' },
});
manifest('partly', { files: ['dist', '!dist/testing', '!dist/.x'], devDependencies: { axios: '1.0.0' } });
manifest('private', { private: true, devDependencies: { axios: '1.0.0' } });

const at = (filename, name, code, ...errors) => ({
  name,
  filename: path.join(folder, filename),
  code,
  options,
  ...(errors.length > 0 && { errors: errors.map((messageId) => ({ messageId })) }),
});

describe('mesher/declared-dependencies', () => {
  after(() => rmSync(folder, { recursive: true }));

  typescriptRuleTester().run('mesher/declared-dependencies', declaredDependencies, {
    valid: [
      at('published/src/a.ts', 'accepts what is declared, also by subpath', "import 'yaml'; import '@scope/a/sub';"),
      at(
        'published/src/a.ts',
        'accepts Node and relative modules',
        "import 'node:fs'; import 'fs/promises'; import './b.js';",
      ),
      at('published/src/a.ts', 'accepts the package itself', "import 'published';"),
      at('published/src/a.test.ts', 'accepts development dependencies in tests', "import 'axios'; import 'chai';"),
      at('partly/src/testing/a.ts', 'accepts them in folders that are not published', "import 'axios'; import 'chai';"),
      at('private/src/a.ts', 'accepts development dependencies in private packages', "import 'axios';"),
    ],
    invalid: [
      at('published/src/a.ts', 'reports what is not declared', "import 'undici';", 'undeclared'),
      at('published/src/a.ts', 'reports test libraries in published code', "import 'chai';", 'undeclared'),
      at(
        'published/src/a.ts',
        'reports development dependencies in published code',
        "void import('axios');",
        'development',
      ),
      at('partly/src/testing.ts', 'tells a folder from a file', "import 'chai';", 'undeclared'),
      at(
        'published/src/testing/a.ts',
        'reports test libraries in a folder that is published',
        "import 'chai';",
        'undeclared',
      ),
      at('published/src/a.test.ts', 'reports undeclared modules in tests', "import 'undici';", 'undeclared'),
    ],
  });
});
