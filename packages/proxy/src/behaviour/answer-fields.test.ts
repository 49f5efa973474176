import { DirectAnswer, Rejection, isMeshError, type ErrorCode, type Invocation } from '@mesher/core';
import { expect } from 'chai';
import { answerEach, answerOf, type ProxyHarness } from '../testing/proxy-harness.js';
import { useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const HEAD = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';
const COOKIE = 'Set-Cookie: ServiceCombLB=abc; Path=/';

describe('fields that a policy adds to an answer', () => {
  const rig = useProxyRig();

  function mark(call: Invocation): void {
    call.addResponseField('Set-Cookie', 'ServiceCombLB=abc; Path=/');
    call.addResponseField('x-two', '2');
  }

  async function marked(answer: string): Promise<ProxyHarness> {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answer), {
      handler: {
        begin: (call) => {
          mark(call);
          return proxy.endpoint;
        },
      },
    });
    return proxy;
  }

  it('stand behind those of the upstream, whose own fields of the same name stay', async () => {
    const proxy = await marked(answerOf('hi', 'HTTP/1.1 200 OK\r\nSet-Cookie: own=1\r\n'));
    const client = await rig().send(proxy, GET);
    await client.readUntil('hi');
    expect(client.text).to.equal(
      answerOf('hi', 'HTTP/1.1 200 OK\r\nSet-Cookie: own=1\r\n').replace(
        '\r\n\r\n',
        `\r\n${COOKIE}\r\nx-two: 2\r\n\r\n`,
      ),
    );
  });

  it('are on the answer to a HEAD and to an HTTP/1.0 client, too', async () => {
    const proxy = await marked('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
    const head = await rig().send(proxy, HEAD);
    await head.readUntil('\r\n\r\n');
    expect(head.text).to.contain(`Content-Length: 9\r\n${COOKIE}\r\n`);
    const old = await rig().send(await marked(answerOf('old')), 'GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    await old.readUntil('old');
    expect(old.text).to.contain(`\r\n${COOKIE}\r\n`);
  });

  it('are not on interim answers', async () => {
    const proxy = await marked(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${answerOf('hi')}`);
    const client = await rig().send(proxy, GET);
    await client.readUntil('hi');
    expect(client.text.split(COOKIE)).to.have.lengthOf(2);
    expect(client.text).to.match(/^HTTP\/1\.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  it('are on the answers that open a tunnel', async () => {
    const upgraded = await rig().send(
      await marked('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello'),
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    );
    await upgraded.readUntil('hello');
    expect(upgraded.text).to.contain(`Upgrade: x\r\n${COOKIE}\r\nx-two: 2\r\n\r\nhello`);
    const connected = await rig().send(await marked(''), 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    await connected.readUntil('\r\n\r\n');
    expect(connected.text).to.equal(`HTTP/1.1 200 Connection established\r\n${COOKIE}\r\nx-two: 2\r\n\r\n`);
  });

  it('are on errors that Mesher answers with', async () => {
    const proxy = await rig().proxy({
      handler: {
        begin: (call) => {
          mark(call);
          return new Rejection('MESH_ERR_RATE_LIMITED', 'slow down', 3);
        },
      },
    });
    const client = await rig().send(proxy, GET);
    await client.readUntil('slow down');
    expect(client.text).to.match(
      /^HTTP\/1\.1 429 [^]*retry-after: 3\r\n[^]*Set-Cookie: ServiceCombLB=abc; Path=\/\r\nx-two: 2\r\n/,
    );
  });

  it('do not give an error of Mesher a second type, or another code', async () => {
    const proxy = await rig().proxy({
      handler: {
        begin: (call) => {
          call.addResponseField('Content-Type', 'text/html');
          call.addResponseField('X-Mesher-Error', 'MESH_ERR_OTHER');
          call.addResponseField('x-two', '2');
          return new Rejection('MESH_ERR_RATE_LIMITED', 'slow down', 3);
        },
      },
    });
    const client = await rig().send(proxy, GET);
    await client.readUntil('slow down');
    expect(client.text).to.contain('x-two: 2\r\n').and.contain('x-mesher-error: MESH_ERR_RATE_LIMITED\r\n');
    expect(client.text).to.not.match(/text\/html|MESH_ERR_OTHER/);
  });

  for (const [name, value] of [
    ['Content-Length', '5'],
    ['Transfer-Encoding', 'chunked'],
    ['connection', 'close'],
    ['x y', '1'],
    ['x-y', 'a\r\nx: 1'],
  ]) {
    it(`cannot be ${JSON.stringify(`${name}: ${value}`)}, which would frame the message or end a line`, async () => {
      const codes: unknown[] = [];
      const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('hi')), {
        handler: {
          begin: (call) => {
            try {
              call.addResponseField(name, value);
            } catch (error) {
              if (isMeshError(error)) codes.push(error.code);
            }
            return proxy.endpoint;
          },
        },
      });
      const client = await rig().send(proxy, GET);
      await client.readUntil('hi');
      expect(client.text).to.equal(answerOf('hi'));
      expect(codes).to.deep.equal(['MESH_ERR_INVALID_FIELD']);
    });
  }
});

describe('a direct answer', () => {
  const rig = useProxyRig();

  async function answered(answer: Rejection, request = GET): Promise<string> {
    const proxy = await rig().proxy({ handler: { begin: () => answer } });
    const client = await rig().send(proxy, request);
    client.write('GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const all = (await client.awaitEnd()).toString('latin1');
    // The second answer shows that the client knew where the first one ended.
    const parts = all.split(/(?=HTTP\/1\.1 \d)/);
    expect(parts).to.have.lengthOf(2);
    expect(proxy.outcomes.map(({ code }) => code)).to.deep.equal([answer.code, answer.code]);
    return parts[0];
  }

  function direct(code: ErrorCode, status: number, body?: string, contentType?: string): DirectAnswer {
    return new DirectAnswer(code, status, body, contentType);
  }

  it('has its own status, body and content type, and says that Mesher made it', async () => {
    expect(
      await answered(direct('MESH_ERR_FAULT_INJECTED', 418, '<p>\u00fc</p>', 'text/html; charset=utf-8')),
    ).to.equal(
      "HTTP/1.1 418 I'm a Teapot\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: 9\r\nx-mesher-error: MESH_ERR_FAULT_INJECTED\r\n\r\n<p>\u00c3\u00bc</p>",
    );
  });

  it('without a body has a length of 0', async () => {
    expect(await answered(direct('MESH_ERR_FAULT_INJECTED', 503))).to.equal(
      'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nx-mesher-error: MESH_ERR_FAULT_INJECTED\r\n\r\n',
    );
  });

  it('for a redirect is no error, and takes its Location from the fields that the policy adds', async () => {
    const proxy = await rig().proxy({
      handler: {
        begin: (call) => {
          call.addResponseField('Location', 'https://b.example/x');
          return direct('MESH_REDIRECT', 308);
        },
      },
    });
    const client = await rig().send(proxy, GET);
    await client.readUntil('\r\n\r\n');
    expect(client.text).to.equal(
      'HTTP/1.1 308 Permanent Redirect\r\ncontent-length: 0\r\nLocation: https://b.example/x\r\n\r\n',
    );
  });

  it('to a HEAD has the length of its body and no body', async () => {
    expect(await answered(direct('MESH_REDIRECT', 200, 'hello'), HEAD)).to.equal(
      'HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 5\r\n\r\n',
    );
  });

  for (const status of [204, 304]) {
    it(`with status ${status} ends with its head`, async () => {
      expect(await answered(direct('MESH_REDIRECT', status, 'not sent'))).to.match(
        new RegExp(`^HTTP/1\\.1 ${status} [^\\r]*\\r\\n\\r\\n$`),
      );
    });
  }

  it('with status 205 has an empty body', async () => {
    expect(await answered(direct('MESH_REDIRECT', 205, 'not sent'))).to.equal(
      'HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n',
    );
  });

  for (const status of [100, 101, 0, 42, 1000, 200.5, NaN]) {
    it(`with ${status} in place of the status of a final answer is sent as 500`, async () => {
      expect(await answered(direct('MESH_ERR_FAULT_INJECTED', status, 'oops'))).to.match(
        /^HTTP\/1\.1 500 Internal Server Error\r\n[^]*content-length: 4\r\n[^]*oops$/,
      );
    });
  }

  it('with a content type that would end its line is plain text', async () => {
    expect(await answered(direct('MESH_ERR_FAULT_INJECTED', 500, 'x', 'text/html\r\nx-evil: 1'))).to.not.contain(
      'evil',
    );
  });

  it('may come in place of an error that the wire itself makes: the handler is asked for a fallback', async () => {
    const refused: string[] = [];
    const proxy = await rig().proxy({
      handler: {
        begin: () => new Promise(() => {}),
        instead: (_call, rejection) => {
          refused.push(rejection.code);
          return direct('MESH_REDIRECT', 200, 'fallback');
        },
      },
    });
    const client = await rig().send(proxy, GET);
    await proxy.awaitBegun(1);
    rig().pass(30_000);
    await client.readUntil('fallback');
    expect(refused).to.deep.equal(['MESH_ERR_TIMEOUT']);
  });
});
