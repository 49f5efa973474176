import { expect } from 'chai';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EXIT } from './exit-codes.js';
import { askTransparent, type TransparentAsked } from './transparent.js';

const STEPS = [{ stage: 'direction', decision: 'outbound: 10.0.0.2 is no address of this\u001b machine' }];

describe('mesher transparent', () => {
  let server: Server;
  let admin: string;
  let answer: { status: number; body: object };
  const asked: string[] = [];

  before(async () => {
    server = createServer(({ url = '' }, response) => {
      asked.push(url);
      response.writeHead(answer.status).end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    admin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => new Promise((resolve) => server.close(resolve)));

  async function ask(what: TransparentAsked, json = false): Promise<{ code: number; out: string; err: string }> {
    let [out, err] = ['', ''];
    const code = await askTransparent(
      what,
      { admin, json },
      (text) => (out += text),
      (text) => (err += text),
    );
    return { code, out, err };
  }

  const explain = { what: 'explain', destination: '[fd77::2]:80', protocol: 'tls', host: 'shop' } as const;

  it('prints an explanation, and exits with 1 when the connection would be passed on to nobody', async () => {
    const body = { address: 'fd77::2', port: 80, protocol: 'tls', host: 'shop', verdict: 'passed', steps: STEPS };
    answer = { status: 200, body };
    const { code, out } = await ask(explain);
    expect(asked.at(-1)).to.equal('/v1/mesher/transparent/explain?address=fd77%3A%3A2&port=80&protocol=tls&host=shop');
    expect(out).to.equal(
      '[fd77::2]:80  tls, host shop: passed\n\n  direction  outbound: 10.0.0.2 is no address of this? machine\n',
    );
    expect(code).to.equal(EXIT.ok);
    answer = { status: 200, body: { ...body, verdict: 'loop' } };
    expect((await ask(explain)).code).to.equal(EXIT.failed);
    expect(JSON.parse((await ask(explain, true)).out)).to.deep.equal(answer.body);
  });

  it('says what to do when the question makes no sense, or the sidecar is in another mode', async () => {
    answer = { status: 400, body: { message: 'port is wrong' } };
    expect(await ask(explain)).to.deep.equal({ code: EXIT.usage, out: '', err: 'mesher: port is wrong\n' });
    answer = { status: 404, body: { message: 'This sidecar is not in transparent mode.' } };
    const { code, err } = await ask({ what: 'list' });
    expect([code, err]).to.deep.equal([
      EXIT.usage,
      `mesher: the sidecar at ${admin} cannot tell (status 404): This sidecar is not in transparent mode.\n`,
    ]);
    expect((await ask({ ...explain, destination: 'shop' })).err).to.match(/^mesher: the destination is 'shop'/);
  });
});
