import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { withConfFolder } from '../testing/conf-folder.js';
import { runExplain } from '../testing/run-explain.js';
import { checkConfiguration } from './config-check.js';

describe('commands about configuration with a shared limit', () => {
  it('do not connect to its store', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const files = {
      'rate_limiting.yaml': 'cse.flowcontrol.Consumer.qps: { limit: { world: 5 }, shared: { world: redis } }\n',
      'mesher.yaml': `plugin.settings.redis.address: 127.0.0.1:${port}\n`,
      'given/instances.yaml': 'world: [{ address: 10.0.0.1:8080 }]\n',
    };
    try {
      await withConfFolder(files, async (config) => {
        expect(await checkConfiguration(config, {}, () => undefined)).to.equal(0);
        const { out } = await runExplain({ config, instances: join(config, 'given/instances.yaml') });
        expect(out).to.contain('counted by redis; 0 fetched ahead');
      });
      expect(connections).to.equal(0);
    } finally {
      server.close();
    }
  });
});
