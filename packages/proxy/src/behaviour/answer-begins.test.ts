import { expect } from 'chai';
import type { CallHandler } from '@mesher/core';
import { answerEach, answerOf, type ProxyHarnessOptions } from '../testing/proxy-harness.js';
import { until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n';
const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n';

describe('the beginning of an answer', () => {
  const rig = useProxyRig();

  /** A handler that waits for the beginning of each answer, and what it has heard. */
  function listening(own: Partial<CallHandler> = {}): { heard: number[]; settings: ProxyHarnessOptions } {
    const heard: number[] = [];
    const handler: Partial<CallHandler> = { begun: (_call, status) => void heard.push(status), ...own };
    return { heard, settings: { handler } };
  }

  it('is told with the head, once, although the body goes on', async () => {
    const { heard, settings } = listening();
    const { upstream, proxy } = await rig().pair(undefined, {
      handler: { ...settings.handler, begin: (call) => ((call.watchesBeginning = true), proxy.endpoint) },
    });
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    await client.readUntil('hello');
    expect([heard, proxy.outcomes.length]).to.deep.equal([[200], 0]);
    peer.write('5\r\nagain\r\n0\r\n\r\n');
    await client.readUntil('again');
    await proxy.awaitOutcomes(1);
    expect(heard).to.deep.equal([200]);
  });

  it('is not told of an answer that is thrown away for another attempt', async () => {
    const { heard, settings } = listening();
    let requests = 0;
    const { proxy } = await rig().pair(
      (peer) => answerEach(peer, () => (++requests === 1 ? UNAVAILABLE : answerOf('x'))),
      {
        handler: {
          ...settings.handler,
          begin: (call) => ((call.watchesBeginning = call.watchesAnswer = true), proxy.endpoint),
          answered: (_call, { status }) => (status === 503 ? proxy.endpoint : undefined),
        },
      },
    );
    const client = await rig().send(proxy, GET);
    await client.readUntil('\r\n\r\nx');
    expect([heard, requests]).to.deep.equal([[200], 2]);
  });

  it('is told when protocols are switched, and when a relayed connection stands', async () => {
    const { heard, settings } = listening();
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => SWITCHED), {
      handler: { ...settings.handler, begin: (call) => ((call.watchesBeginning = true), proxy.endpoint) },
    });
    const client = await rig().send(proxy, UPGRADE);
    await client.readUntil('\r\n\r\n');
    const relay = await rig().pair(undefined, {
      destination: { service: 'db' },
      handler: { ...settings.handler, begin: (call) => ((call.watchesBeginning = true), relay.proxy.endpoint) },
    });
    await rig().send(relay.proxy, '\x00\x01');
    await until(() => heard.length === 2);
    expect(heard).to.deep.equal([101, 0]);
  });

  for (const [kind, request, answer] of [
    ['an answer', GET, answerOf('x')],
    ['a switch of protocols', UPGRADE, SWITCHED],
    ['a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', ''],
  ]) {
    it(`of ${kind} is an error of our own when who is told of it fails`, async () => {
      const { proxy } = await rig().pair((peer) => answerEach(peer, () => answer), {
        handler: {
          begin: (call) => ((call.watchesBeginning = true), proxy.endpoint),
          begun: () => {
            throw new Error('broken plugin');
          },
        },
      });
      const client = await rig().send(proxy, request);
      expect(await client.readUntil('\r\n\r\n')).to.match(/^HTTP\/1.1 500 [^]*MESH_ERR_PLUGIN/);
      client.write(request);
      expect(await client.readUntil('\r\n\r\n')).to.match(/HTTP\/1.1 500 [^]*MESH_ERR_PLUGIN/);
      expect(await proxy.awaitOutcomes(2)).to.have.length(2);
    });
  }

  it('of a relayed connection ends it when who is told of it fails', async () => {
    const { proxy } = await rig().pair(undefined, {
      destination: { service: 'db' },
      handler: {
        begin: (call) => ((call.watchesBeginning = true), proxy.endpoint),
        begun: () => {
          throw new Error('broken plugin');
        },
      },
    });
    const client = await rig().send(proxy, '\x00\x01');
    await client.awaitEnd();
    expect((await proxy.awaitOutcomes(1))[0].code).to.equal('MESH_ERR_PLUGIN');
  });

  it('is told to nobody who has not asked for it', async () => {
    const { heard, settings } = listening();
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('x')), settings);
    const client = await rig().send(proxy, GET);
    await client.readUntil('\r\n\r\nx');
    expect(heard).to.deep.equal([]);
  });
});
