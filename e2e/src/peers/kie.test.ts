import { skipBecause } from '@mesher/core/testing';
import { KIE_BEHAVIOURS, RealKie, START_LIMIT_MS, checkBehaviour } from '@mesher/config-kie/testing';
import { existsSync } from 'node:fs';

/** Path of a `kieserver` of Apache ServiceComb; nothing here installs it. */
const BINARY = process.env['MESHER_KIE_SERVER'] ?? '';

/** The real server stores a change within some milliseconds after it raised its revision. */
const SETTINGS = { confirmAfter: 500 };

describe('the config source kie, with the real Kie', function () {
  this.timeout(START_LIMIT_MS * 2);

  before(function () {
    if (BINARY === '') skipBecause(this, 'MESHER_KIE_SERVER does not name a kieserver');
    if (!existsSync(BINARY)) skipBecause(this, `MESHER_KIE_SERVER: there is no ${BINARY}`);
  });

  for (const behaviour of KIE_BEHAVIOURS) {
    it(behaviour.title, async () => {
      const kie = await RealKie.start(BINARY);
      try {
        await checkBehaviour(behaviour, kie, SETTINGS);
      } finally {
        await kie.close();
      }
    });
  }
});
