import { expect } from 'chai';
import { DEFAULT_HTTP2_LIMITS } from '../limits.js';
import { connectHttp2, openStream, readAnswer, startHttp2Server } from '../../testing/http2-peers.js';
import { until, useProxyRig } from '../../testing/proxy-rig.js';

const KB = 1024;

describe('a body that is kept for further attempts', () => {
  const rig = useProxyRig();

  it('counts among what waits until the answer begins, or until the client is gone', async () => {
    const server = await startHttp2Server(rig(), (stream) => void stream.resume());
    const proxy = await rig().proxy({ upstreamPort: server.port, speaks: 'http2' });
    const waiting = (): number => proxy.proxy.http2.bufferedBytes;
    const session = connectHttp2(rig(), proxy);
    const [answered, given] = [openStream(session, { ':method': 'POST' }, false), openStream(session, {}, false)];
    const answer = readAnswer(answered);
    answered.end(Buffer.alloc(10_000));
    given.write(Buffer.alloc(20_000));
    await server.awaitStream(2);
    await until(() => waiting() === 30_000);
    const stream = server.streams[server.requests.findIndex((fields) => fields[':method'] === 'POST')];
    stream.respond({ ':status': 200 });
    await until(() => waiting() === 20_000);
    given.close(8);
    await until(() => waiting() === 0);
    stream.end('ok');
    expect((await answer).body.toString()).to.equal('ok');
  });

  it('is given up when bodies fill half of what may wait, and its call goes on', async () => {
    const server = await startHttp2Server(rig(), (stream) => {
      stream.on('data', () => undefined).on('end', () => stream.respond({ ':status': 200 }, { endStream: true }));
    });
    const http2 = { ...DEFAULT_HTTP2_LIMITS, maxBufferedBytes: 1024 * KB };
    const proxy = await rig().proxy({ upstreamPort: server.port, speaks: 'http2', options: { http2 } });
    const session = connectHttp2(rig(), proxy);
    const streams = Array.from({ length: 16 }, () => openStream(session, { ':method': 'POST' }, false));
    const answers = streams.map((stream) => readAnswer(stream));
    let most = 0;
    for (const [i, stream] of streams.entries()) {
      stream.write(Buffer.alloc(60 * KB));
      await until(() => proxy.proxy.stats.bytesToUpstream >= (i + 1) * 60 * KB);
      most = Math.max(most, proxy.proxy.http2.bufferedBytes);
    }
    expect(most).to.be.within(400 * KB, 640 * KB);
    for (const stream of streams) stream.end();
    expect((await Promise.all(answers)).map(({ status }) => status)).to.deep.equal(streams.map(() => 200));
    expect(proxy.proxy.http2.bufferedBytes).to.equal(0);
  });
});
