import { httpInstance } from '@mesher/core/testing';
import { expect } from 'chai';
import { connect as connectHttp2, createServer, type Http2Server } from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import { HttpSettingsRig } from '../testing/http-settings-rig.js';

describe('a connection of HTTP/2 to an address that no service has', () => {
  let rig: HttpSettingsRig;
  let original: Http2Server;
  const asked: string[] = [];

  beforeEach(async () => {
    asked.length = 0;
    original = createServer();
    original.on('stream', (stream, headers) => {
      asked.push(Object.keys(headers).join(' '));
      stream.respond({ ':status': 200 });
      stream.end(`original ${headers[':authority']}`);
    });
    await new Promise<void>((resolve) => original.listen(0, '127.0.0.2', resolve));
  });
  afterEach(async () => {
    await rig.close();
    await new Promise((resolve) => original.close(resolve));
  });

  /** Asks for each authority in turn on one connection. */
  async function ask(...authorities: readonly string[]): Promise<string[]> {
    const { port } = original.address() as AddressInfo;
    const session = connectHttp2('http://any', { createConnection: () => connect(rig.goingTo(port), '127.0.0.1') });
    const answers: string[] = [];
    for (const authority of authorities) {
      answers.push(
        await new Promise<string>((resolve, reject) => {
          let text = '';
          const stream = session.request({ ':path': '/', ':authority': authority });
          stream.setEncoding('utf8').on('data', (more: string) => (text += more));
          stream.on('end', () => resolve(text)).on('error', reject);
        }),
      );
    }
    session.destroy();
    return answers;
  }

  it('goes through the mesh request by request, where policy says so: by the names of services, else to its address', async () => {
    rig = await HttpSettingsRig.open({ transparent: { policy: 'mesh' } });
    const known = await rig.app('known');
    const instances = [httpInstance(`127.0.0.1:${known}`, { service: 'orders' })];
    rig.core.discovery.publishAll(instances);
    rig.core.discovery.publish('orders', instances);
    await rig.chassis.start();
    const [first, second, third] = await ask('elsewhere:80', 'orders', 'elsewhere');
    expect([first, third]).to.deep.equal(['original elsewhere:80', 'original elsewhere']);
    expect(second).to.include('"app":"known"');
    expect(rig.proxy.stats.transparent.of({ protocol: 'http2' })).to.equal(1);
  });

  it('passes byte by byte where nobody wants to see requests', async () => {
    rig = await HttpSettingsRig.open({});
    expect(await ask('orders')).to.deep.equal(['original orders']);
    expect(asked).to.deep.equal([':path :authority :method :scheme']);
    expect(rig.proxy.stats.detectedHttp2).to.equal(0);
    expect(rig.proxy.stats.transparent.of({ protocol: 'http2', verdict: 'passed' })).to.equal(1);
  });
});
