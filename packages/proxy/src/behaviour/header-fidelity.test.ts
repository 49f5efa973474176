import { expect } from 'chai';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { useProxyRig } from '../testing/proxy-rig.js';

/** Odd but allowed: every letter case, order, duplicates, blanks, empty values and bytes above 127. */
const FIELDS =
  'X-Z: last\r\n' +
  'aCCept:*/*\r\n' +
  'X-Dup: 1\r\nx-dup:   2  \r\nX-DUP: 1\r\n' +
  'Cookie: a=b\r\nCookie: c=d\r\n' +
  'X-Empty:\r\nX-Blank: \t \r\n' +
  'X-Latin: caf\xe9 \xfc\r\n' +
  "!#$%&'*+-.^_`|~: odd name\r\n" +
  'X-Colon: a: b: c\r\n';

describe('header fields', () => {
  const rig = useProxyRig();

  it('of a request pass byte for byte: names, order, case, duplicates, blanks', async () => {
    const head = `GET /p%41th?q=%zz HTTP/1.1\r\nHoSt: A.Example:8080\r\n${FIELDS}\r\n`;
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('ok')));
    const client = await rig().send(proxy, head);
    await client.readUntil('ok');
    expect(upstream.connections[0].text).to.equal(head);
  });

  it('of an answer pass byte for byte: names, order, case, duplicates, blanks, reason phrase', async () => {
    const answer = `HTTP/1.1 299 Strange  but tr\xfce\r\n${FIELDS}Set-Cookie: a=1\r\nset-cookie: b=2\r\nContent-length: 2\r\n\r\nok`;
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answer));
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('\r\n\r\nok');
    expect(client.text).to.equal(answer);
  });

  it('of an answer without a reason phrase pass as they are', async () => {
    for (const statusLine of ['HTTP/1.1 200 \r\n', 'HTTP/1.1 200\r\n']) {
      const { proxy } = await rig().pair((peer) => answerEach(peer, () => `${statusLine}Content-Length: 2\r\n\r\nok`));
      const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.readUntil('ok');
      expect(client.text).to.equal(`${statusLine}Content-Length: 2\r\n\r\nok`);
    }
  });

  it('of this hop are dropped from a request, those named by Connection too', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('ok')));
    const client = await rig().send(
      proxy,
      'GET / HTTP/1.1\r\nHost: a\r\n' +
        'X-First: 1\r\n' +
        'Connection: keep-alive, X-Hop ,x-other\r\n' +
        'Keep-Alive: timeout=5\r\n' +
        'x-hop: secret\r\n' +
        'X-Middle: 2\r\n' +
        'X-OTHER: secret\r\nX-Other: again\r\n' +
        'Proxy-Connection: keep-alive\r\n' +
        'Proxy-Authorization: Basic x\r\n' +
        'TE: trailers\r\n' +
        'Upgrade: h2c\r\n' +
        'HTTP2-Settings: x\r\n' +
        'X-Last: 3\r\n\r\n',
    );
    await client.readUntil('ok');
    expect(upstream.connections[0].text).to.equal(
      'GET / HTTP/1.1\r\nHost: a\r\nX-First: 1\r\nX-Middle: 2\r\nX-Last: 3\r\n\r\n',
    );
  });

  it('of the upstream hop are dropped from an answer, those named by Connection too', async () => {
    const { proxy } = await rig().pair((peer) =>
      answerEach(
        peer,
        () =>
          'HTTP/1.1 200 OK\r\nX-First: 1\r\nConnection: keep-alive, x-hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\n' +
          'X-Middle: 2\r\nProxy-Connection: close\r\nContent-Length: 2\r\n\r\nok',
      ),
    );
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('ok');
    expect(client.text).to.equal('HTTP/1.1 200 OK\r\nX-First: 1\r\nX-Middle: 2\r\nContent-Length: 2\r\n\r\nok');
  });

  it('arrive in their order and case at a real server and a real client', async () => {
    const server = await rig().nodeServer((incoming, outgoing) => {
      outgoing.sendDate = false;
      outgoing.writeHead(200, ['X-Server', '1', 'x-server', '2', 'Content-Length', '0']);
      outgoing.end();
      received = incoming.rawHeaders;
    });
    let received: readonly string[] = [];
    const proxy = await rig().proxy({ upstreamPort: server.port });
    const answer = await rig().nodeRequest(proxy, { headers: { Host: 'svc', 'X-ONE': '1', 'x-two': ['a', 'b'] } });
    expect(received).to.deep.equal(['Host', 'svc', 'X-ONE', '1', 'x-two', 'a', 'x-two', 'b']);
    expect(answer.rawHeaders.slice(0, 6)).to.deep.equal(['X-Server', '1', 'x-server', '2', 'Content-Length', '0']);
  });

  it('keep an absolute-form target apart from Host: the path goes upstream, the Host stays', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('ok')));
    for (const [target, path] of [
      ['http://svc:8083/a/b?c', '/a/b?c'],
      ['http://svc:8083', '/'],
      ['HTTP://svc:8083?c', '/?c'],
    ]) {
      const before = upstream.receivedBytes;
      const client = await rig().send(proxy, `GET ${target} HTTP/1.1\r\nHost: svc:8083\r\nX: y\r\n\r\n`);
      await client.readUntil('ok');
      expect(upstream.connections[0].text.slice(before)).to.equal(
        `GET ${path} HTTP/1.1\r\nHost: svc:8083\r\nX: y\r\n\r\n`,
      );
    }
  });

  it('get the edits of the handler: added, replaced and removed, for every attempt alike', async () => {
    const { upstream, proxy } = await rig().pair(
      (peer, index) =>
        answerEach(peer, () => {
          if (index === 1) return answerOf('ok');
          peer.reset();
          return undefined;
        }),
      {
        handler: {
          begin: (call) => {
            call.addHeader('x-added', '1');
            call.setHeader('x-set', 'new');
            call.removeHeader('x-removed');
            return proxy.endpoint;
          },
          again: () => proxy.endpoint,
        },
      },
    );
    const client = await rig().send(
      proxy,
      'GET / HTTP/1.1\r\nHost: a\r\nX-Removed: 1\r\nX-Set: old\r\nX-Kept: 1\r\nx-removed: 2\r\n\r\n',
    );
    await client.readUntil('ok');
    const expected = 'GET / HTTP/1.1\r\nHost: a\r\nX-Kept: 1\r\nx-added: 1\r\nx-set: new\r\n\r\n';
    expect(upstream.connections.map((peer) => peer.text)).to.deep.equal([expected, expected]);
  });
});
