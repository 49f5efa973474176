import { expect } from 'chai';
import { useProxyRig } from '../../testing/proxy-rig.js';
import { connectHttp2, openStream, readAnswer, startHttp2Server } from '../../testing/http2-peers.js';

/** Calls at once; with one that was refused twice in a row more than two attempts would be needed. */
const AT_ONCE = 20;
const CALLS = 1000;

describe('calls with a body through the proxy', () => {
  const rig = useProxyRig();

  it('are all answered although the instance goes away after every hundred of them', async () => {
    let count = 0;
    const server = await startHttp2Server(rig(), (stream) => {
      stream.on('data', () => undefined);
      stream.on('end', () => stream.respond({ ':status': 200 }, { endStream: true }));
      if (++count % 100 === 0) stream.session?.close();
    });
    const proxy = await rig().proxy({ upstreamPort: server.port, speaks: 'http2' });
    const session = connectHttp2(rig(), proxy);
    const statuses = new Set<number>();
    let begun = 0;
    const caller = async (): Promise<void> => {
      while (begun++ < CALLS) {
        const stream = openStream(
          session,
          { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' },
          false,
        );
        stream.end('message');
        statuses.add((await readAnswer(stream)).status);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, caller));
    expect([...statuses]).to.deep.equal([200]);
    expect(proxy.outcomes.filter(({ code }) => code !== undefined)).to.deep.equal([]);
    expect(proxy.proxy.stats.http2Upstream.goaways).to.be.greaterThan(5);
  });

  it('are answered again as soon as a killed instance is back', async () => {
    const first = await startHttp2Server(rig(), (stream) => stream.respond({ ':status': 200 }, { endStream: true }));
    const proxy = await rig().proxy({ upstreamPort: first.port, speaks: 'http2' });
    const session = connectHttp2(rig(), proxy);
    const call = async (): Promise<number> => (await readAnswer(openStream(session))).status;
    expect(await call()).to.equal(200);
    first.server.close();
    for (const each of first.sessions) each.destroy();
    expect(await call()).to.equal(502);
    await new Promise<void>((resolve) => first.server.listen(first.port, '127.0.0.1', resolve));
    expect(await call()).to.equal(200);
  });
});
