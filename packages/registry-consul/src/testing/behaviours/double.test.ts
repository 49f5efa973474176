import { ConsulServer } from '../consul-server.js';
import { CONSUL_BEHAVIOURS } from './all-behaviours.js';
import { LIMITED_PREFIX } from './behaviour.js';

const TOKENS = { root: 'token-of-root', limited: 'token-with-limits', nodeless: 'token-without-nodes' };
const PREFIX = [LIMITED_PREFIX];
const RULES = { serviceWrite: PREFIX, keyWrite: PREFIX };
const ACL = {
  rootToken: TOKENS.root,
  tokens: { [TOKENS.limited]: RULES, [TOKENS.nodeless]: { ...RULES, hidesNodes: true } },
};

describe('the Consul agent of tests does what the real one does: it', () => {
  for (const { title, needs = {}, check } of CONSUL_BEHAVIOURS) {
    // Takes seconds of real time; check-runner.test.ts has it with time that is moved.
    if (needs.slow === true) continue;
    it(title, async () => {
      const server = await ConsulServer.start(needs.acl === true ? { acl: ACL } : {});
      try {
        await check(needs.acl === true ? { url: server.url, tokens: TOKENS } : { url: server.url });
      } finally {
        await server.close();
      }
    });
  }
});
