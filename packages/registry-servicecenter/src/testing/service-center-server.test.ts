import { expect } from 'chai';
import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { Probe } from './behaviours/probe.js';
import { ServiceCenterServer, type ServiceCenterOptions } from './service-center-server.js';

interface Rig {
  readonly server: ServiceCenterServer;
  readonly probe: Probe;
}

async function withServer(use: (rig: Rig) => Promise<void>, options?: ServiceCenterOptions): Promise<void> {
  const server = await ServiceCenterServer.start(options);
  try {
    await use({ server, probe: new Probe({ url: server.url }) });
  } finally {
    await server.close();
  }
}

async function refusal(opening: Promise<unknown>): Promise<string> {
  return await opening.then(
    () => 'opened',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

describe('what a test can do to its service-center', () => {
  it('puts services with instances in, past the API, and sees what was asked', async () => {
    await withServer(async ({ server, probe }) => {
      const { instanceIds } = server.seed({
        serviceName: 'orders',
        instances: [{}, { endpoints: ['rest://127.0.0.1:1'] }],
      });
      expect(await probe.found('orders')).to.deep.equal([...instanceIds].sort());
      await server.untilAsked(
        ({ path, query }) => path.endsWith('/instances') && query.get('serviceName') === 'orders',
      );
      expect(server.asked.map(({ method }) => method)).to.deep.equal(['GET']);
    });
  });

  it('answers with a failure until it is taken away, to a websocket too', async () => {
    await withServer(async ({ server, probe }) => {
      const { serviceId } = server.seed({ serviceName: 'shop' });
      server.failure = { status: 502, body: '<html>', headers: { 'content-type': 'text/html' } };
      const answer = await probe.send('GET', '/microservices');
      expect([answer.status, answer.text, answer.headers.get('content-type')]).to.deep.equal([
        502,
        '<html>',
        'text/html',
      ]);
      expect(await refusal(probe.socket(`/microservices/${serviceId}/watcher`))).to.include('502');
      server.failure = undefined;
      expect((await probe.send('GET', '/microservices')).status).to.equal(200);
    });
  });

  it('answers a request that offers another protocol like any other, with its body, and the one after it', async () => {
    await withServer(async ({ server }) => {
      const body = JSON.stringify({ service: { serviceName: 'orders' } });
      const socket = connect(server.port, '127.0.0.1');
      socket.setNoDelay(true);
      await once(socket, 'connect');
      const offer =
        'host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAA\r\n';
      const target = '/v4/default/registry/microservices';
      socket.write(`POST ${target} HTTP/1.1\r\n${offer}content-length: ${body.length}\r\n\r\n${body.slice(0, 9)}`);
      socket.write(`${body.slice(9)}GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
      let text = '';
      for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk.toString();
      expect(text.match(/HTTP\/1\.1 200 OK/g)).to.have.length(2);
      expect(text).to.contain('{"serviceId":').and.contain('{"services":');
      expect(server.registry.tenant().services.list()).to.have.length(1);
    });
  });

  it('takes requests in and answers none of them until it is let', async () => {
    await withServer(async ({ server, probe }) => {
      server.steering.holdsAnswers = true;
      let answered = false;
      const asking = probe.send('GET', '/microservices').then(() => (answered = true));
      await server.untilAsked(({ path }) => path.endsWith('/microservices'));
      expect(answered).to.equal(false);
      server.steering.holdsAnswers = false;
      await asking;
    });
  });

  it('sends a watch any text, loses events, and ends connections without a word', async () => {
    await withServer(async ({ server, probe }) => {
      const { serviceId } = server.seed({ serviceName: 'orders' });
      const { serviceId: consumer } = server.seed({ serviceName: 'shop' });
      await probe.found('orders', {}, consumer);
      const socket = await probe.socket(`/microservices/${consumer}/watcher`);
      await server.untilWatchers(1);
      server.watchers.loses = true;
      await probe.instance(serviceId);
      server.watchers.loses = false;
      expect(server.watchers.send(consumer, '{"action":')).to.equal(1);
      expect(server.watchers.send(serviceId, 'nobody listens')).to.equal(0);
      expect(await socket.text()).to.equal('{"action":');
      await probe.instance(serviceId);
      expect((await socket.json())['action']).to.equal('CREATE');
      server.dropSockets();
      expect(await socket.closed).to.equal(1006);
      await server.untilWatchers(0);
    });
  });

  it('loses its state while connections stay', async () => {
    await withServer(async ({ server, probe }) => {
      const { serviceId } = server.seed({ serviceName: 'orders', instances: [{ instanceId: 'one' }] });
      const socket = await probe.socket(`/microservices/${serviceId}/watcher`);
      server.registry.forget();
      await probe.refused(400017, 'PUT', `/microservices/${serviceId}/instances/one/heartbeat`);
      await probe.refused(400012, 'GET', `/microservices/${serviceId}`);
      expect((await probe.ask('GET', '/health')).instances).to.have.lengthOf(1);
      await socket.ping();
      socket.close();
    });
  });

  it('is a server from before heartbeats by websocket', async () => {
    await withServer(
      async ({ server, probe }) => {
        const { serviceId } = server.seed({ serviceName: 'orders', instances: [{ instanceId: 'one' }] });
        const path = `/microservices/${serviceId}/instances/one/heartbeat`;
        expect(await refusal(probe.socket(path))).to.include('404');
        await probe.ask('PUT', path);
      },
      { websocketHeartbeat: false },
    );
  });

  it('drops a client that answers no ping', async () => {
    await withServer(
      async ({ server }) => {
        const { serviceId } = server.seed({ serviceName: 'shop' });
        const path = `/v4/default/registry/microservices/${serviceId}/watcher`;
        const silent = new WebSocket(server.url.replace('http', 'ws') + path, { autoPong: false });
        const [code] = (await once(silent, 'close')) as [number];
        expect(code).to.equal(1006);
      },
      { pingIntervalMs: 10 },
    );
  });

  it('keeps tenants apart: domains by their header, projects by the path', async () => {
    await withServer(async ({ server, probe }) => {
      server.seed({ serviceName: 'orders', tenant: 'other/default', instances: [{ instanceId: 'one' }] });
      const find = '/instances?appId=default&serviceName=orders';
      await probe.refused(400012, 'GET', find);
      await probe.refused(400012, 'GET', `/v4/another/registry${find}`, undefined, { 'x-domain-name': 'other' });
      expect((await probe.ask('GET', find, undefined, { 'x-domain-name': 'other' })).instances).to.have.lengthOf(1);
      expect(await probe.found('SERVICECENTER')).to.have.lengthOf(1);
    });
  });

  it('ends with everything that is open: held answers, watches, idle connections', async () => {
    let closed: Promise<number> | undefined;
    await withServer(async ({ server, probe }) => {
      const { serviceId } = server.seed({ serviceName: 'shop' });
      closed = (await probe.socket(`/microservices/${serviceId}/watcher`)).closed;
      server.steering.holdsAnswers = true;
      void probe.send('GET', '/microservices').catch(() => undefined);
      await server.untilAsked(({ path }) => path.endsWith('/microservices'));
    });
    expect(await closed).to.equal(1006);
  });
});
