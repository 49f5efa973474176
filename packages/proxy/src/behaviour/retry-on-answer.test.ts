import { Rejection, type CallHandler, type Endpoint, type Verdict } from '@mesher/core';
import { expect } from 'chai';
import { answerEach, answerOf, type ProxyHarness, type RawPeer, type RawUpstream } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';
import type { ProxyOptions } from '../options.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const BUSY = answerOf('busy', 'HTTP/1.1 503 Service Unavailable\r\nX-Why: load\r\n');

interface Watched {
  readonly upstream: RawUpstream;
  readonly proxy: ProxyHarness;
  /** What the handler was shown. */
  readonly seen: string[];
}

describe('an answer that the handler watches', () => {
  const rig = useProxyRig();

  /** A proxy whose handler tries again after each 503, three attempts at most. */
  async function watched(
    onConnection: ((peer: RawPeer, index: number) => void) | undefined,
    verdict: (endpoint: Endpoint) => Endpoint | Promise<Verdict> = (endpoint) => endpoint,
    handler: Partial<CallHandler> = {},
    options: Partial<ProxyOptions> = {},
  ): Promise<Watched> {
    const seen: string[] = [];
    const { upstream, proxy } = await rig().pair(onConnection, {
      options,
      handler: {
        begin: (call) => {
          call.watchesAnswer = true;
          return proxy.endpoint;
        },
        answered: (call, answer) => {
          seen.push(`${answer.status} ${answer.header('x-why') ?? '-'}`);
          return answer.status === 503 && call.attempts < 3 ? verdict(proxy.endpoint) : undefined;
        },
        ...handler,
      },
    });
    return { upstream, proxy, seen };
  }

  /** The answers come one after the other, whichever connection is asked. */
  function inTurn(...answers: string[]): (peer: RawPeer) => void {
    return (peer) => answerEach(peer, () => answers.shift());
  }

  it('is thrown away when the handler names an endpoint; its connection is used again', async () => {
    const { upstream, proxy, seen } = await watched(inTurn(BUSY, BUSY, answerOf('at last')));
    const client = await rig().send(proxy, GET);
    await client.readUntil('at last');
    expect(client.text).to.equal(answerOf('at last'));
    expect(seen).to.deep.equal(['503 load', '503 load', '200 -']);
    expect(upstream.connections).to.have.lengthOf(1);
    expect(upstream.connections[0].text).to.equal(GET.repeat(3));
    expect(proxy.outcomes).to.have.lengthOf(1);
    expect(proxy.outcomes[0]).to.include({ status: 200, code: undefined, attempts: 3 });
  });

  it('is passed on as it is when the handler has nothing better, and when it throws', async () => {
    const boom = (): never => {
      throw new Error('broken plugin');
    };
    for (const handler of [{ answered: () => undefined }, { answered: boom }]) {
      const { proxy } = await watched(inTurn(BUSY), undefined, handler);
      const client = await rig().send(proxy, GET);
      await client.readUntil('busy');
      expect(client.text).to.equal(BUSY);
      expect(proxy.outcomes[0]).to.include({ status: 503, code: undefined, attempts: 1 });
    }
  });

  it('shows nothing to a handler that looks at it later', async () => {
    const seen: unknown[] = [];
    const { proxy } = await watched(inTurn(BUSY, answerOf('fine')), undefined, {
      answered: (_call, answer) => {
        if (answer.status !== 503) return undefined;
        return Promise.resolve().then(() => {
          seen.push(answer.header('x-why'));
          return proxy.endpoint;
        });
      },
    });
    const client = await rig().send(proxy, GET);
    await client.readUntil('fine');
    expect(seen).to.deep.equal([undefined]);
  });

  it('is not looked at when the call does not ask for it', async () => {
    const { proxy, seen } = await watched(inTurn(BUSY), undefined, { begin: () => proxy.endpoint });
    const client = await rig().send(proxy, GET);
    await client.readUntil('busy');
    expect(seen).to.deep.equal([]);
  });

  it('may be an answer to HEAD, or have no body, or come behind interim ones, which are passed on', async () => {
    const { upstream, proxy, seen } = await watched(
      inTurn(
        'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1000\r\n\r\n',
        'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n',
        'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n',
      ),
    );
    const client = await rig().send(proxy, 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('200 OK\r\nContent-Length: 7\r\n\r\n');
    expect(client.text).to.equal(
      'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n',
    );
    expect(seen).to.deep.equal(['503 -', '503 -', '200 -']);
    expect(upstream.connections).to.have.lengthOf(1);
  });

  it('is not asked about when it switches protocols', async () => {
    const { proxy, seen } = await watched(
      inTurn('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello'),
    );
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    await client.readUntil('hello');
    expect(seen).to.deep.equal([]);
    client.end();
  });

  it('may refuse an upgrade and be tried again', async () => {
    const { proxy } = await watched(
      inTurn(BUSY, 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello'),
    );
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    await client.readUntil('hello');
    expect(client.text).to.not.contain('busy');
    client.end();
  });

  it('is tried again with the whole body, also with chunks of which some come later', async () => {
    const { upstream, proxy } = await watched(undefined);
    const client = await rig().send(
      proxy,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n',
    );
    const one = await upstream.awaitConnection(1);
    await one.readUntil('first');
    one.write(BUSY);
    const two = await upstream.awaitConnection(2);
    await two.readUntil('first');
    await one.awaitEnd();
    client.write('4\r\nlast\r\n0\r\n\r\n');
    await two.readUntil('4\r\nlast\r\n0\r\n\r\n');
    expect(two.text).to.equal(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n4\r\nlast\r\n0\r\n\r\n',
    );
    two.write(answerOf('stored'));
    await client.readUntil('stored');
    expect(client.text).to.equal(answerOf('stored'));
  });

  it('is passed on when the body of the request is gone: the handler is told so, and its word for another attempt counts for nothing', async () => {
    const refused = answerOf('busy', 'HTTP/1.1 503 Service Unavailable\r\nx-mesher-error: MESH_ERR_CONNECT\r\n');
    for (const [answer, asked] of [
      [BUSY, 'answered false'],
      [refused, 'again false'],
    ]) {
      const seen: string[] = [];
      const { upstream, proxy } = await watched(
        undefined,
        undefined,
        {
          answered: ({ bodyReplayable }) => {
            seen.push(`answered ${bodyReplayable}`);
            return proxy.endpoint;
          },
          again: ({ bodyReplayable }) => {
            seen.push(`again ${bodyReplayable}`);
            return proxy.endpoint;
          },
        },
        { maxReplayBytes: 10 },
      );
      const body = 'x'.repeat(20);
      const client = await rig().send(proxy, `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n${body}`);
      const peer = await upstream.awaitConnection();
      await peer.readUntil(body);
      peer.write(answer);
      await client.readUntil('busy');
      expect(client.text).to.equal(answer);
      expect(seen).to.deep.equal([asked]);
      expect(upstream.connections).to.have.lengthOf(1);
    }
  });

  for (const [what, begin, rest] of [
    ['with a length', 'HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nabc', 'defghij'],
    ['in chunks', 'HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', '0\r\n\r\n'],
  ]) {
    for (const version of ['1.1', '1.0']) {
      it(`whose body ${what} is not complete is read to its end for its connection (client of HTTP/${version})`, async () => {
        const { upstream, proxy } = await watched(undefined);
        const client = await rig().send(proxy, `GET / HTTP/${version}\r\nHost: a\r\n\r\n`);
        const one = await upstream.awaitConnection(1);
        await one.readUntil('\r\n\r\n');
        one.write(begin);
        const two = await upstream.awaitConnection(2);
        await two.readUntil('\r\n\r\n');
        one.write(rest);
        await until(() => proxy.proxy.stats.upstreamIdle === 1);
        two.write(answerOf('fine'));
        await client.readUntil('fine');
        expect(client.text).to.not.contain('abc');
        await until(() => proxy.proxy.stats.upstreamIdle === 2);
      });
    }

    it(`whose body ${what} breaks off while it is thrown away does no harm`, async () => {
      const { upstream, proxy } = await watched(undefined);
      const client = await rig().send(proxy, GET);
      const one = await upstream.awaitConnection(1);
      await one.readUntil('\r\n\r\n');
      one.write(begin);
      const two = await upstream.awaitConnection(2);
      one.reset();
      await until(() => proxy.proxy.stats.upstreamOpen === 1);
      await two.readUntil('\r\n\r\n');
      two.write(answerOf('fine'));
      await client.readUntil('fine');
      expect(client.text).to.equal(answerOf('fine'));
      expect(proxy.outcomes[0]).to.include({ status: 200, code: undefined });
    });

    it(`whose body ${what} does not end in time is given up with its connection`, async () => {
      const { upstream, proxy } = await watched(undefined, undefined, {}, { lingerTimeout: 500 });
      const client = await rig().send(proxy, GET);
      const one = await upstream.awaitConnection(1);
      await one.readUntil('\r\n\r\n');
      one.write(begin);
      const two = await upstream.awaitConnection(2);
      await two.readUntil('\r\n\r\n');
      rig().pass(500);
      await one.awaitEnd();
      two.write(answerOf('fine'));
      await client.readUntil('fine');
    });
  }

  for (const [what, begin, more] of [
    ['is longer than maxDiscardBytes', 'HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nabc', ''],
    ['ends with the connection', 'HTTP/1.1 503 Busy\r\n\r\nabc', ''],
    [
      'grows beyond maxDiscardBytes',
      'HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n',
      `20\r\n${'x'.repeat(32)}\r\n`,
    ],
    ['breaks the rules', 'HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n', 'zz\r\n'],
  ]) {
    it(`whose body ${what} costs its connection`, async () => {
      const { upstream, proxy } = await watched(undefined, undefined, {}, { maxDiscardBytes: 16 });
      const client = await rig().send(proxy, GET);
      const one = await upstream.awaitConnection(1);
      await one.readUntil('\r\n\r\n');
      one.write(begin);
      const two = await upstream.awaitConnection(2);
      if (more !== '') one.write(more);
      await one.awaitEnd();
      await two.readUntil('\r\n\r\n');
      two.write(answerOf('fine'));
      await client.readUntil('fine');
      expect(upstream.connections).to.have.lengthOf(2);
    });
  }

  it('with bytes behind it, or with Connection: close, costs its connection', async () => {
    for (const answer of [`${BUSY}surplus`, BUSY.replace('X-Why: load', 'Connection: close')]) {
      const { upstream, proxy } = await watched((peer, index) =>
        answerEach(peer, () => (index === 0 ? answer : answerOf('fine'))),
      );
      const client = await rig().send(proxy, GET);
      await client.readUntil('fine');
      expect(client.text).to.equal(answerOf('fine'));
      expect(upstream.connections).to.have.lengthOf(2);
    }
  });

  it('may be tried again later: the call waits without a connection, and pipelined requests wait behind it', async () => {
    let goOn: (verdict: Verdict) => void = () => {};
    const { upstream, proxy } = await watched(
      inTurn(BUSY, answerOf('one'), answerOf('two')),
      () => new Promise((resolve) => (goOn = resolve)),
    );
    const client = await rig().send(proxy, GET + GET);
    await until(() => proxy.proxy.stats.upstreamIdle === 1);
    await settleSockets();
    expect(client.length).to.equal(0);
    goOn(proxy.endpoint);
    await client.readUntil('two');
    expect(client.text).to.equal(answerOf('one') + answerOf('two'));
    expect(upstream.connections[0].text).to.equal(GET.repeat(3));
  });

  it('may be followed by a refusal that takes time: that is what the client gets then', async () => {
    const { proxy } = await watched(inTurn(BUSY), () =>
      Promise.resolve(new Rejection('MESH_ERR_OVERLOADED', 'no budget left')),
    );
    const client = await rig().send(proxy, GET);
    await client.readUntil('no budget left');
    expect(client.text).to.match(/^HTTP\/1\.1 503 [^]*MESH_ERR_OVERLOADED/);
    expect(client.text).to.not.contain('busy');
  });

  for (const [how, leave] of [
    ['resets its connection', (client: RawPeer) => client.reset()],
    ['closes its connection', (client: RawPeer) => client.destroy()],
  ] as const) {
    it(`whose client ${how} while the call waits for the next attempt ends the call, which is not tried again`, async () => {
      let goOn: (verdict: Verdict) => void = () => {};
      const { upstream, proxy } = await watched(inTurn(BUSY), () => new Promise((resolve) => (goOn = resolve)));
      const client = await rig().send(proxy, GET + GET);
      await until(() => proxy.proxy.stats.upstreamIdle === 1);
      leave(client);
      await settleSockets();
      rig().time.advance(1000);
      await proxy.awaitOutcomes(1);
      goOn(proxy.endpoint);
      await settleSockets();
      expect(proxy.outcomes).to.have.lengthOf(1);
      expect(proxy.outcomes[0]).to.include({ aborted: true, status: 0, attempts: 1 });
      expect(upstream.receivedBytes).to.equal(GET.length);
    });

    it(`whose client ${how} while the rest of it is thrown away leaves nothing behind`, async () => {
      const { upstream, proxy } = await watched(undefined);
      const client = await rig().send(proxy, GET);
      const one = await upstream.awaitConnection(1);
      await one.readUntil('\r\n\r\n');
      one.write('HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nabc');
      const two = await upstream.awaitConnection(2);
      await two.readUntil('\r\n\r\n');
      leave(client);
      await settleSockets();
      rig().time.advance(1000);
      await two.awaitEnd();
      one.write('defghij');
      await until(() => proxy.proxy.stats.upstreamIdle === 1);
      expect(proxy.outcomes[0]).to.include({ aborted: true });
    });
  }
});
