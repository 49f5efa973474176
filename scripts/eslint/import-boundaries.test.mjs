import path from 'node:path';
import { importBoundaries } from './import-boundaries.mjs';
import { typescriptRuleTester } from './rule-tester.mjs';

const root = path.resolve('/repository');
const options = [
  {
    root,
    arrows: { core: [], proxy: ['core'] },
    homes: [
      { module: 'node:http2', in: ['tests', 'bench/'], because: 'it is an oracle.' },
      { module: 'prom-client', in: ['packages/core/src/telemetry/'], because: 'it is slow to load.' },
    ],
  },
];
const at = (filename, name, code, ...errors) => ({
  name,
  filename: path.join(root, filename),
  code,
  options,
  ...(errors.length > 0 && { errors: errors.map((messageId) => ({ messageId })) }),
});

typescriptRuleTester().run('mesher/import-boundaries', importBoundaries, {
  valid: [
    at(
      'packages/proxy/src/a.ts',
      'lets proxy import core and its subpaths',
      "import '@mesher/core'; import '@mesher/core/testing';",
    ),
    at(
      'packages/mesher/src/a.ts',
      'lets the composition root import all',
      "import '@mesher/proxy'; import '@mesher/admin';",
    ),
    at('e2e/src/a.ts', 'lets the end-to-end tests import all', "import '@mesher/proxy';"),
    at(
      'packages/core/src/chain/a.ts',
      'lets a module import its neighbours',
      "import '../ports/ports.js'; import './b.js';",
    ),
    at('packages/proxy/src/http2/a.test.ts', 'lets a test use the oracle', "import 'node:http2';"),
    at('packages/proxy/src/testing/a.ts', 'lets a test helper use the oracle', "import 'node:http2';"),
    at('bench/src/a.ts', 'lets the benchmark use the oracle', "import 'node:http2';"),
    at(
      'packages/core/src/telemetry/a.ts',
      'lets a library be loaded in its home',
      "const load = () => import('prom-client');",
    ),
    at('packages/core/src/a.ts', 'is not fooled by a name that only begins alike', "import 'prom-client-like';"),
  ],
  invalid: [
    at(
      'packages/core/src/a.ts',
      'stops core from importing another package',
      "import { x } from '@mesher/proxy';",
      'arrow',
    ),
    at('packages/proxy/src/a.test.ts', 'stops tests as well', "import { x } from '@mesher/admin';", 'arrow'),
    at('packages/proxy/src/a.ts', 'sees types', "import type { X } from '@mesher/admin';", 'arrow'),
    at(
      'packages/proxy/src/a.ts',
      'sees re-exports',
      "export { x } from '@mesher/admin'; export * from '@mesher/admin';",
      'arrow',
      'arrow',
    ),
    at('packages/proxy/src/a.ts', 'sees dynamic imports', "void import('@mesher/admin');", 'arrow'),
    at('packages/proxy/src/a.ts', 'sees import types', "type X = import('@mesher/admin').X;", 'arrow'),
    at('packages/proxy/src/a.ts', 'sees require', "const x = require('@mesher/admin');", 'arrow'),
    at(
      'packages/mesher/src/a.ts',
      'stops deep imports even from the composition root',
      "import '@mesher/core/dist/errors.js';",
      'deep',
    ),
    at(
      'packages/core/src/a.ts',
      'stops a package from importing itself by name',
      "import '@mesher/core/testing';",
      'self',
    ),
    at(
      'packages/proxy/src/a.ts',
      'stops relative paths that leave the package',
      "import '../../core/src/errors.js';",
      'outside',
    ),
    at('packages/proxy/src/http2/a.ts', 'keeps the oracle out of published code', "import 'node:http2';", 'home'),
    at(
      'packages/admin/src/a.ts',
      'keeps a library in its home, also by subpath',
      "import 'prom-client/lib/metric.js';",
      'home',
    ),
  ],
});
