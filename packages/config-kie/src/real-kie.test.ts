import { skipBecause } from '@mesher/core/testing';
import { existsSync } from 'node:fs';
import { itBehavesWith } from './kie-behaviour.test.js';
import { RealKie, START_LIMIT_MS } from './testing/real-kie.js';

/** Path of a `kieserver` of Apache ServiceComb. */
const BINARY = process.env['MESHER_KIE_SERVER'] ?? '';

describe('the config source kie, with the real Kie', function () {
  this.timeout(START_LIMIT_MS * 2);

  before(function () {
    if (BINARY === '') skipBecause(this, 'MESHER_KIE_SERVER does not name a kieserver');
    if (!existsSync(BINARY)) skipBecause(this, `MESHER_KIE_SERVER: there is no ${BINARY}`);
  });

  itBehavesWith(() => RealKie.start(BINARY), { confirmAfter: 500 });
});
