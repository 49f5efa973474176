import { expect } from 'chai';
import { connect as connectHttp2, createServer, type Http2Server, type OutgoingHttpHeaders } from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import { httpInstance } from '@mesher/core/testing';
import { HttpSettingsRig } from '../testing/http-settings-rig.js';

describe('routing by header of requests over HTTP/2', () => {
  let rig: HttpSettingsRig;
  const servers: Http2Server[] = [];

  beforeEach(async () => {
    const routing = { enabled: true, cookieEnabled: true, allow: ['localhost', '@services'] };
    rig = await HttpSettingsRig.open({ routing, source: { enabled: true } });
  });
  afterEach(async () => {
    await rig.close();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function app(name: string, host: string): Promise<number> {
    const server = createServer();
    server.on('stream', (stream, headers) => {
      stream.respond();
      stream.end(`${name} ${headers[':authority']} ${String(headers['x-source'])}`);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return (server.address() as AddressInfo).port;
  }

  it('takes each request of a connection where it says, to servers of HTTP/2', async () => {
    const original = await app('original', '127.0.0.2');
    const canary = await app('canary', '127.0.0.1');
    const session = connectHttp2('http://stock', {
      createConnection: () => connect(rig.goingTo(original), '127.0.0.1'),
    });
    const ask = (headers: OutgoingHttpHeaders): Promise<string> =>
      new Promise((resolve, reject) => {
        let text = '';
        const stream = session.request({ ':path': '/', ':authority': 'stock', ...headers });
        stream.setEncoding('utf8').on('data', (more: string) => (text += more));
        stream.on('end', () => resolve(text)).on('error', reject);
      });
    const route = `stock=localhost:${canary}`;
    expect(await ask({ 'x-route': route })).to.equal('canary stock netra');
    expect(await ask({ 'x-source': 'forged' })).to.equal('original stock netra');
    // HTTP/2 may send each cookie in a field of its own (RFC 9113, 8.2.3).
    expect(await ask({ cookie: ['a=b', `X-Route=${route}`, 'c=d'] })).to.equal('canary stock netra');
    session.close();
  });

  it('may name the address of an instance, which the registry knows', async () => {
    const original = await rig.app('original', '127.0.0.2');
    const known = await rig.app('known');
    rig.core.discovery.publishAll([httpInstance(`127.0.0.1:${known}`, { service: 'stock' })]);
    await rig.chassis.start();
    const answer = await rig.call('outbound', original, 'stock', { 'x-route': `stock=127.0.0.1:${known}` });
    expect(answer.app).to.equal('known');
    const other = await rig.call('outbound', original, 'stock', { 'x-route': `stock=127.0.0.1:${original}` });
    expect(other.app).to.equal('original');
    expect(await rig.routed('refused')).to.equal(1);
  });
});
