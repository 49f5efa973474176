import { Endpoint, Rejection, type Verdict } from '@mesher/core';
import { expect } from 'chai';
import type { ProxyOptions } from '../options.js';
import { DEFAULT_PROXY_OPTIONS } from '../options.js';
import { answerEach, answerOf, type ProxyHarness, type RawPeer, type RawUpstream } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\nX-One: 1\r\n\r\n';
const COPY = 'GET /x HTTP/1.1\r\nHost: a-shadow\r\nX-One: 1\r\n\r\n';

interface Mirrored {
  readonly proxy: ProxyHarness;
  readonly upstream: RawUpstream;
  readonly shadow: RawUpstream;
}

function replying(text: string): (peer: RawPeer) => void {
  return (peer) => answerEach(peer, () => answerOf(text));
}

describe('a mirrored request', () => {
  const rig = useProxyRig();

  async function mirrored(
    settings: {
      readonly upstream?: (peer: RawPeer, index: number) => void;
      readonly shadow?: (peer: RawPeer, index: number) => void;
      readonly mirror?: Partial<ProxyOptions['mirror']>;
      readonly options?: Partial<ProxyOptions>;
      readonly authority?: string;
      readonly begin?: (endpoint: Endpoint) => Verdict | Promise<Verdict>;
    } = {},
  ): Promise<Mirrored> {
    const shadow = await rig().upstream(settings.shadow);
    const to = new Endpoint('127.0.0.1', shadow.port, undefined);
    const { upstream, proxy } = await rig().pair(settings.upstream, {
      options: { ...settings.options, mirror: { ...DEFAULT_PROXY_OPTIONS.mirror, ...settings.mirror } },
      handler: {
        begin: (call) => {
          call.mirror = { endpoint: to, authority: settings.authority ?? 'a-shadow' };
          return settings.begin?.(proxy.endpoint) ?? proxy.endpoint;
        },
      },
    });
    return { upstream, shadow, proxy };
  }

  function numbers({ proxy }: Mirrored): Record<string, unknown> {
    const { mirrorsOpen, mirrorsAnswered, mirrorsFailed, mirrorsDropped } = proxy.proxy.stats;
    return { open: mirrorsOpen, answered: mirrorsAnswered, failed: mirrorsFailed, dropped: [...mirrorsDropped] };
  }

  it('goes to both, with another Host; the client gets the real answer, and both connections are used again', async () => {
    const made = await mirrored({ upstream: replying('real'), shadow: replying('shadow') });
    const client = await rig().connect(made.proxy);
    for (let i = 1; i <= 3; i++) {
      client.write(GET);
      await client.readUntil(new RegExp(`(real[^]*){${i}}`));
      await until(() => made.proxy.proxy.stats.mirrorsAnswered === i);
    }
    expect(client.text).to.equal(answerOf('real').repeat(3));
    expect(made.upstream.connections.map(({ text }) => text)).to.deep.equal([GET.repeat(3)]);
    expect(made.shadow.connections.map(({ text }) => text)).to.deep.equal([COPY.repeat(3)]);
    expect(numbers(made)).to.deep.equal({ open: 0, answered: 3, failed: 0, dropped: [] });
    expect(made.proxy.outcomes.map(({ attempts }) => attempts)).to.deep.equal([1, 1, 1]);
  });

  it('may be one of several pipelined ones', async () => {
    const made = await mirrored({ upstream: replying('real'), shadow: replying('shadow') });
    const client = await rig().send(made.proxy, GET.repeat(4));
    await client.readUntil(/(real[^]*){4}/);
    await until(() => made.proxy.proxy.stats.mirrorsAnswered === 4);
    expect(made.shadow.receivedBytes).to.equal(COPY.length * 4);
  });

  it('is copied with edits of the head, in absolute form and from HTTP/1.0 without Host', async () => {
    const made = await mirrored({ upstream: replying('real'), shadow: replying('shadow') });
    for (const [sent, copy] of [
      ['GET http://b/y HTTP/1.1\r\nHost: b\r\n\r\n', 'GET /y HTTP/1.1\r\nHost: a-shadow\r\n\r\n'],
      ['GET /y HTTP/1.0\r\nX: host: c\r\n\r\n', 'GET /y HTTP/1.1\r\nHost: a-shadow\r\nX: host: c\r\n\r\n'],
      [
        'GET /y HTTP/1.1\r\nX-Host: b\r\nhOsT:d\r\nConnection: x\r\nX: 1\r\n\r\n',
        'GET /y HTTP/1.1\r\nX-Host: b\r\nHost: a-shadow\r\n\r\n',
      ],
    ]) {
      const before = made.shadow.receivedBytes;
      const client = await rig().send(made.proxy, sent);
      await client.readUntil('real');
      await until(() => made.shadow.receivedBytes >= before + copy.length && made.proxy.proxy.stats.mirrorsOpen === 0);
      expect(made.shadow.connections.map(({ text }) => text).join('')).to.match(
        new RegExp(`${copy.replace(/[/.]/g, '\\$&')}$`),
      );
    }
  });

  it('takes the name of its Host as it is', async () => {
    const made = await mirrored({ upstream: replying('real'), shadow: replying('shadow'), authority: "a$&$'-shadow" });
    await (await rig().send(made.proxy, GET)).readUntil('real');
    await until(() => made.proxy.proxy.stats.mirrorsAnswered === 1);
    expect(made.shadow.connections[0].text).to.equal(COPY.replace('a-shadow', () => "a$&$'-shadow"));
  });

  it('is copied with its body as it comes, in chunks or with a length, behind Expect: 100-continue too', async () => {
    for (const [head, ...pieces] of [
      ['PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n', '3\r\nabc\r\n', '3\r\ndef\r\n', '0\r\n\r\n'],
      ['PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n', 'abc', 'def', 'ghi'],
    ]) {
      const made = await mirrored();
      const client = await rig().send(made.proxy, head);
      const [real, copy] = [await made.upstream.awaitConnection(), await made.shadow.awaitConnection()];
      await copy.readUntil('\r\n\r\n');
      real.write('HTTP/1.1 100 Continue\r\n\r\n');
      copy.write('HTTP/1.1 100 Continue\r\n\r\n');
      await client.readUntil('100 Continue');
      for (const piece of pieces) {
        client.write(piece);
        await real.readUntil(piece);
        await copy.readUntil(piece);
      }
      expect(copy.text).to.equal(real.text.replace('Host: a', 'Host: a-shadow'));
      copy.write(answerOf('shadow'));
      await until(() => made.proxy.proxy.stats.mirrorsAnswered === 1);
      expect(client.text).to.equal('HTTP/1.1 100 Continue\r\n\r\n');
      real.write(answerOf('real'));
      await client.readUntil('real');
      expect(client.text).to.not.contain('shadow');
    }
  });

  it('is copied whole when the decision about it came later than its body', async () => {
    let decide: (verdict: Verdict) => void = () => {};
    const made = await mirrored({ begin: () => new Promise((resolve) => (decide = resolve)) });
    const client = await rig().send(made.proxy, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc');
    await made.proxy.awaitBegun(1);
    client.write('def');
    await settleSockets();
    decide(made.proxy.endpoint);
    const copy = await made.shadow.awaitConnection();
    await copy.readUntil('abcdef');
    client.write('ghi');
    await copy.readUntil('abcdefghi');
    await (await made.upstream.awaitConnection()).readUntil('abcdefghi');
    client.reset();
  });

  it('is not copied again when it is tried again', async () => {
    const made = await mirrored({
      upstream: (peer, index) => {
        if (index === 0) answerEach(peer, () => answerOf('first'));
        else answerEach(peer, () => answerOf('again'));
      },
      shadow: replying('shadow'),
    });
    const client = await rig().send(made.proxy, GET);
    await client.readUntil('first');
    const [real] = made.upstream.connections;
    real.socket.removeAllListeners('data');
    real.socket.once('data', () => real.reset());
    client.write(GET);
    await client.readUntil('again');
    await until(() => made.proxy.proxy.stats.mirrorsAnswered === 2);
    expect(made.shadow.receivedBytes).to.equal(COPY.length * 2);
  });

  it('is not copied when the call is refused', async () => {
    const made = await mirrored({ begin: () => new Rejection('MESH_ERR_RATE_LIMITED', 'no') });
    const client = await rig().send(made.proxy, GET);
    await client.readUntil('"no"');
    expect(made.shadow.connections).to.have.lengthOf(0);
  });

  const FAILURES: readonly (readonly [string, (peer: RawPeer) => void])[] = [
    ['resets the connection', (peer) => peer.socket.once('data', () => peer.reset())],
    ['closes the connection', (peer) => peer.socket.once('data', () => peer.end())],
    ['does not speak HTTP', (peer) => peer.socket.once('data', () => peer.write('nonsense\r\n\r\n'))],
    [
      'breaks off its answer',
      (peer) => peer.socket.once('data', () => peer.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab')),
    ],
    [
      'switches protocols',
      (peer) => peer.socket.once('data', () => peer.write('HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n')),
    ],
  ];
  for (const [how, fail] of FAILURES) {
    it(`does not notice that the target of its copy ${how}`, async () => {
      const made = await mirrored({ shadow: fail });
      const client = await rig().send(made.proxy, GET);
      const real = await made.upstream.awaitConnection();
      await real.readUntil('\r\n\r\n');
      await until(() => made.proxy.proxy.stats.mirrorsFailed === 1);
      real.write(answerOf('real'));
      await client.readUntil('real');
      expect(client.text).to.equal(answerOf('real'));
      expect(numbers(made)).to.deep.equal({ open: 0, answered: 0, failed: 1, dropped: [] });
      expect(made.shadow.connections).to.have.lengthOf(1);
    });
  }

  it('does not notice that the target of its copy cannot be reached', async () => {
    const made = await mirrored({ upstream: replying('real') });
    await made.shadow.close();
    const client = await rig().send(made.proxy, GET);
    await client.readUntil('real');
    await until(() => made.proxy.proxy.stats.mirrorsFailed === 1);
  });

  it('does not wait for a copy that has no answer, which ends after its time', async () => {
    const made = await mirrored({ upstream: replying('real'), mirror: { timeout: 1000 } });
    const client = await rig().send(made.proxy, GET);
    await client.readUntil('real');
    const copy = await made.shadow.awaitConnection();
    await copy.readUntil('\r\n\r\n');
    copy.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    await settleSockets();
    expect(numbers(made)).to.include({ open: 1 });
    rig().pass(1000);
    await copy.awaitEnd();
    expect(numbers(made)).to.deep.equal({ open: 0, answered: 0, failed: 1, dropped: [] });
  });

  it('gives up a copy whose target does not read, beyond maxBodyBytes, and goes on at full speed', async () => {
    const made = await mirrored({ shadow: (peer) => peer.socket.pause(), mirror: { maxBodyBytes: 1_000_000 } });
    const size = 20_000_000;
    const client = await rig().send(made.proxy, `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    client.write(Buffer.alloc(size, 'x'));
    const real = await made.upstream.awaitConnection();
    const headLength = (await real.readUntil('\r\n\r\n')).indexOf('\r\n\r\n') + 4;
    await real.awaitLength(headLength + size);
    expect(numbers(made)).to.deep.equal({ open: 0, answered: 0, failed: 0, dropped: [['body-too-large', 1]] });
    real.write(answerOf('stored'));
    await client.readUntil('stored');
  });

  it('is not copied beyond maxConcurrent, which is counted', async () => {
    const made = await mirrored({ upstream: replying('real'), mirror: { maxConcurrent: 2 } });
    const client = await rig().send(made.proxy, GET.repeat(4));
    await client.readUntil(/(real[^]*){4}/);
    expect(numbers(made)).to.deep.equal({ open: 2, answered: 0, failed: 0, dropped: [['too-many', 2]] });
    expect((await made.shadow.awaitConnection(2)).closed).to.equal(false);
  });

  it('does not stand in line with its copy', async () => {
    const made = await mirrored({ upstream: replying('real'), options: { maxConnectionsPerEndpoint: 1 } });
    const client = await rig().send(made.proxy, GET.repeat(2));
    await client.readUntil(/(real[^]*){2}/);
    expect(numbers(made)).to.deep.equal({ open: 1, answered: 0, failed: 0, dropped: [['no-connection', 1]] });
    const copy = await made.shadow.awaitConnection();
    await copy.readUntil('\r\n\r\n');
    copy.write(answerOf('shadow'));
    await until(() => made.proxy.proxy.stats.upstreamIdle === 2);
    expect(copy.text).to.equal(COPY);
  });

  for (const [what, request, authority] of [
    ['asks for another protocol', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', 'b'],
    ['is a CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 'b'],
    ['would get an impossible Host', GET, 'b\r\nx: 1'],
    ['would get an empty Host', GET, ''],
  ]) {
    it(`is not copied when it ${what}`, async () => {
      const made = await mirrored({ authority });
      const client = await rig().send(made.proxy, request);
      await made.upstream.awaitConnection();
      await settleSockets();
      expect(numbers(made)).to.deep.equal({ open: 0, answered: 0, failed: 0, dropped: [['not-mirrorable', 1]] });
      expect(made.shadow.connections).to.have.lengthOf(0);
      client.reset();
    });
  }

  it('is counted when nobody is there to take its copy', async () => {
    const { proxy, upstream } = await rig().pair(replying('real'), {
      handler: {
        begin: (call) => {
          call.mirror = { endpoint: undefined, authority: 'a-shadow' };
          return proxy.endpoint;
        },
      },
    });
    await (await rig().send(proxy, GET)).readUntil('real');
    expect(numbers({ proxy, upstream, shadow: upstream })).to.deep.equal({
      ...{ open: 0, answered: 0, failed: 0 },
      dropped: [['no-target', 1]],
    });
  });

  it('takes its copy along when the client goes away before the end of the body', async () => {
    for (const leave of [(client: RawPeer) => client.reset(), (client: RawPeer) => client.destroy()]) {
      const made = await mirrored();
      const client = await rig().send(made.proxy, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc');
      const copy = await made.shadow.awaitConnection();
      await copy.readUntil('abc');
      leave(client);
      await copy.awaitEnd();
      await made.proxy.awaitOutcomes(1);
      expect(numbers(made)).to.deep.equal({ open: 0, answered: 0, failed: 1, dropped: [] });
    }
  });

  it('leaves its copy alone when the client goes away after the end of the body', async () => {
    const made = await mirrored();
    const client = await rig().send(made.proxy, GET);
    const copy = await made.shadow.awaitConnection();
    await copy.readUntil('\r\n\r\n');
    client.reset();
    await settleSockets();
    rig().time.advance(1000);
    await made.proxy.awaitOutcomes(1);
    copy.write(answerOf('shadow'));
    await until(() => made.proxy.proxy.stats.mirrorsAnswered === 1);
    expect(made.proxy.outcomes[0]).to.include({ aborted: true });
  });

  it('ends its copy when it is answered before the end of its body', async () => {
    const made = await mirrored();
    const client = await rig().send(made.proxy, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc');
    const [real, copy] = [await made.upstream.awaitConnection(), await made.shadow.awaitConnection()];
    await real.readUntil('abc');
    await copy.readUntil('abc');
    real.end(answerOf('no', 'HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n'));
    await client.readUntil('no');
    await copy.awaitEnd();
    client.end();
  });

  it('goes on when the copy is answered before the end of its body', async () => {
    const made = await mirrored();
    const client = await rig().send(made.proxy, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    const [real, copy] = [await made.upstream.awaitConnection(), await made.shadow.awaitConnection()];
    await copy.readUntil('abc');
    copy.write(answerOf('no', 'HTTP/1.1 413 Content Too Large\r\n'));
    await copy.awaitEnd();
    client.write('def');
    await real.readUntil('abcdef');
    real.write(answerOf('stored'));
    await client.readUntil('stored');
    expect(numbers(made)).to.deep.equal({ open: 0, answered: 1, failed: 0, dropped: [] });
  });
});
