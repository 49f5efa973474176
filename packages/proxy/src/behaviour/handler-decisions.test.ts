import { Rejection, silentLogger, type Verdict } from '@mesher/core';
import { expect } from 'chai';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-Path: ${path}\r\n\r\n`;
}

function forwarded(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Path: ${path}\r\n\r\n`;
}

describe('a handler', () => {
  const rig = useProxyRig();

  it('may decide later: the call waits, others go on, and the head is sent as it came', async () => {
    const decisions = new Map<string, (verdict: Verdict) => void>();
    const { upstream, proxy } = await rig().pair(
      (peer) => answerEach(peer, (head) => answerOf(`[${head.split(' ')[1]}]`)),
      {
        handler: {
          begin: (call) =>
            call.path === '/quick'
              ? proxy.endpoint
              : new Promise((resolve) => {
                  decisions.set(call.path, resolve);
                }),
        },
      },
    );
    const [one, two] = [await rig().send(proxy, get('/1')), await rig().send(proxy, get('/2'))];
    await until(() => decisions.size === 2);
    const quick = await rig().send(proxy, get('/quick'));
    await quick.readUntil('[/quick]');
    decisions.get('/2')?.(proxy.endpoint);
    await two.readUntil('[/2]');
    decisions.get('/1')?.(proxy.endpoint);
    await one.readUntil('[/1]');
    expect(upstream.connections[0].text).to.equal(forwarded('/quick') + forwarded('/2') + forwarded('/1'));
  });

  it('may decide later about the first of several pipelined requests without changing their order', async () => {
    let decide: () => void = () => {};
    const { proxy } = await rig().pair((peer) => answerEach(peer, (head) => answerOf(`[${head.split(' ')[1]}]`)), {
      handler: {
        begin: (call) =>
          call.path === '/1'
            ? new Promise((resolve) => (decide = () => resolve(proxy.endpoint)))
            : new Rejection('MESH_ERR_NO_ROUTE', `[${call.path}]`),
      },
    });
    const client = await rig().send(proxy, get('/1') + get('/2') + get('/3'));
    await until(() => proxy.ends.size === 1);
    await settleSockets();
    expect([client.length, proxy.ends.size]).to.deep.equal([0, 1]);
    decide();
    await client.readUntil('[/3]');
    expect(client.text.match(/\[\/\d\]/g)).to.deep.equal(['[/1]', '[/2]', '[/3]']);
  });

  it('may decide later while the body comes: it is kept, within bounds, and sent whole', async () => {
    let decide: () => void = () => {};
    const size = 30_000_000;
    const { upstream, proxy } = await rig().pair(undefined, {
      handler: { begin: () => new Promise((resolve) => (decide = () => resolve(proxy.endpoint))) },
      options: { maxReplayBytes: 65_536 },
    });
    const client = await rig().send(proxy, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    for (let i = 0; i < 30; i++) client.write(Buffer.alloc(size / 30, 'abcde'));
    await until(() => proxy.ends.size === 1);
    await settleSockets();
    expect(client.socket.writableLength, 'what the client cannot send yet').to.be.greaterThan(10_000_000);
    decide();
    const peer = await upstream.awaitConnection();
    const headLength = (await peer.readUntil('\r\n\r\n')).indexOf('\r\n\r\n') + 4;
    await peer.awaitLength(headLength + size);
    expect(peer.received.subarray(headLength).equals(Buffer.alloc(size, 'abcde'))).to.equal(true);
    peer.write(answerOf('got it'));
    await client.readUntil('got it');
  });

  it('may refuse later', async () => {
    const proxy = await rig().proxy({
      handler: { begin: () => Promise.resolve(new Rejection('MESH_ERR_RATE_LIMITED', 'slow down', 2)) },
    });
    const client = await rig().send(proxy, get('/'));
    await client.readUntil('slow down');
    expect(client.text).to.match(/^HTTP\/1\.1 429 [^]*\r\nretry-after: 2\r\n/);
  });

  it('may decide later about another attempt', async () => {
    const { upstream, proxy } = await rig().pair(
      (peer, index) =>
        answerEach(peer, () => {
          if (index === 1) return answerOf('second try');
          peer.reset();
          return undefined;
        }),
      { handler: { again: () => Promise.resolve(proxy.endpoint) } },
    );
    const client = await rig().send(proxy, get('/x'));
    await client.readUntil('second try');
    expect(upstream.connections.map(({ text }) => text)).to.deep.equal([forwarded('/x'), forwarded('/x')]);
  });

  it('is not heard any more when it decides after the timeout', async () => {
    let decide: () => void = () => {};
    const { upstream, proxy } = await rig().pair(undefined, {
      handler: { begin: () => new Promise((resolve) => (decide = () => resolve(proxy.endpoint))) },
    });
    const client = await rig().send(proxy, get('/'));
    await until(() => proxy.ends.size === 1);
    rig().pass(30_000);
    await client.readUntil('MESH_ERR_TIMEOUT');
    decide();
    await settleSockets();
    expect(upstream.connections).to.have.lengthOf(0);
  });

  const boom = (): never => {
    throw new Error('plugin broken');
  };
  for (const [what, begin] of [
    ['throws', boom],
    ['rejects', () => Promise.reject(new Error('plugin broken'))],
  ] as const) {
    it(`that ${what} costs its call 500, and nothing else`, async () => {
      const logged: unknown[] = [];
      const logger = { ...silentLogger(), error: (fields: object) => void logged.push(fields) };
      const proxy = await rig().proxy({ handler: { begin }, logger });
      const client = await rig().connect(proxy);
      for (let i = 1; i <= 2; i++) {
        client.write(get('/'));
        await client.readUntil(new RegExp(`(HTTP/1.1 500 [^]*"message":"plugin broken"[^]*){${i}}`));
      }
      expect(logged).to.have.lengthOf(2);
      expect(proxy.outcomes.map(({ code }) => code)).to.deep.equal(['MESH_ERR_PLUGIN', 'MESH_ERR_PLUGIN']);
    });
  }

  for (const [what, again] of [
    ['throws', boom],
    ['rejects', () => Promise.reject(new Error('plugin broken'))],
  ] as const) {
    it(`that ${what} when it is asked for another attempt costs its call 500`, async () => {
      const { proxy } = await rig().pair((peer) => peer.socket.once('data', () => peer.reset()), {
        handler: { again },
      });
      const client = await rig().send(proxy, get('/'));
      await client.readUntil('"message":"plugin broken"');
      expect(client.text).to.match(/^HTTP\/1\.1 500 /);
    });
  }

  it('that throws after a call has ended does no harm', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('fine')), { handler: { end: boom } });
    const client = await rig().connect(proxy);
    for (let i = 1; i <= 2; i++) {
      client.write(get('/'));
      await client.readUntil(new RegExp(`(fine[^]*){${i}}`));
    }
  });

  it('is told of each connection that was made, and not of pooled ones', async () => {
    const reached: unknown[] = [];
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('fine')), {
      handler: { connected: (endpoint) => reached.push(endpoint) },
    });
    const client = await rig().connect(proxy);
    for (let i = 1; i <= 2; i++) {
      client.write(get('/'));
      await client.readUntil(new RegExp(`(fine[^]*){${i}}`));
    }
    expect(reached).to.deep.equal([proxy.endpoint]);
  });
});
