import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { Probe, after } from './behaviours/probe.js';
import { ConsulServer, type ConsulServerOptions } from './consul-server.js';

interface Rig {
  readonly server: ConsulServer;
  readonly probe: Probe;
}

async function withServer(use: (rig: Rig) => Promise<void>, options?: ConsulServerOptions): Promise<void> {
  const server = await ConsulServer.start(options);
  try {
    await use({ server, probe: new Probe({ url: server.url }) });
  } finally {
    await server.close();
  }
}

describe('what a test can do to its Consul agent', () => {
  it('puts instances and keys in, past the API, changes checks, and sees what was asked', async () => {
    await withServer(async ({ server, probe }) => {
      server.seed({ Name: 'web', ID: 'one' });
      server.seed({ Name: 'web', ID: 'two', Check: { TTL: '10s', Status: 'passing' } });
      server.setKey('a', '1');
      expect(await probe.ids('web', '?passing')).to.deep.equal(['one', 'two']);
      server.setCheck('service:two', 'warning', 'slow');
      expect(await probe.ids('web', '?passing')).to.deep.equal(['one']);
      expect((await probe.done('GET', '/kv/a?raw')).text).to.equal('1');
      await server.untilAsked(({ path }) => path === '/v1/kv/a');
      expect(server.asked.map(({ method }) => method)).to.deep.equal(['GET', 'GET', 'GET']);
    });
  });

  it('answers with a failure until it is taken away, to all requests or to some', async () => {
    await withServer(async ({ server, probe }) => {
      server.failure = { status: 502, body: '<html>', headers: { 'content-type': 'text/html' } };
      const { status, text, headers } = await probe.send('GET', '/agent/self');
      expect([status, text, headers.get('content-type')]).to.deep.equal([502, '<html>', 'text/html']);
      server.failure = { status: 429, body: 'Your IP is issuing too many', fits: ({ path }) => path.endsWith('/web') };
      expect((await probe.send('GET', '/health/service/web')).status).to.equal(429);
      expect((await probe.send('GET', '/health/service/other')).status).to.equal(200);
    });
  });

  it('takes requests in and answers none of them until it is let', async () => {
    await withServer(async ({ server, probe }) => {
      server.steering.holdsAnswers = true;
      let answered = false;
      const asking = probe.send('GET', '/agent/self').then(() => (answered = true));
      await server.untilAsked(({ path }) => path.endsWith('/self'));
      expect(answered).to.equal(false);
      server.steering.holdsAnswers = false;
      await asking;
    });
  });

  it('has no leader for a while: the agent answers, what its cluster knows it does not', async () => {
    await withServer(async ({ server, probe }) => {
      server.steering.hasLeader = false;
      for (const path of ['/health/service/web', '/catalog/services', '/kv/a']) {
        await probe.refused(500, /^No cluster leader$/, 'GET', path);
      }
      expect(await probe.ask('/status/leader')).to.equal('');
      await probe.register({ Name: 'web' });
      server.steering.hasLeader = true;
      expect(await probe.ids('web')).to.deep.equal(['web']);
    });
  });

  it('tells how many queries it holds, lets them go by connections that end, and moves their time', async () => {
    const ports = fakePorts();
    await withServer(
      async ({ server, probe }) => {
        server.seed({ Name: 'web' });
        const index = server.store.indexes.ofService('web');
        const path = after('/health/service/web', index, '30s');
        const [dropped, held] = [probe.send('GET', path).catch(() => 'dropped'), server.untilHeld(1)];
        await held;
        server.dropConnections();
        expect(await dropped).to.equal('dropped');
        await server.untilHeld(0);
        const waiting = probe.send('GET', path);
        await server.untilHeld(1);
        ports.time.advance(32_000);
        expect((await waiting).index).to.equal(index);
      },
      { ports },
    );
  });

  it('loses its state and goes on with a lower index, and starts again at the same port', async () => {
    let port = 0;
    await withServer(async ({ server, probe }) => {
      port = server.port;
      server.seed({ Name: 'web' });
      const { index } = await probe.send('GET', '/health/service/web');
      server.forget(2);
      const answer = await probe.send('GET', after('/health/service/web', index, '10ms'));
      expect([answer.text, answer.index]).to.deep.equal(['[]', 2]);
    });
    await withServer(
      // A connection that was kept from before ends only now.
      async ({ probe }) => await probe.eventually(async () => void expect(await probe.ids('web')).to.deep.equal([])),
      { port },
    );
  });
});
