import { expect } from 'chai';
import { RawClient, rawRequest, startProxy, startRawUpstream } from './proxy-harness.js';

describe('proxy harness', () => {
  it('carries a request to the raw upstream, the answer back, and records the outcome', async () => {
    const upstream = await startRawUpstream((peer) => {
      void peer.readUntil('\r\n\r\n').then(() => peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
    });
    const proxy = await startProxy({ upstreamPort: upstream.port });
    try {
      const answer = await rawRequest(proxy.port, 'GET /a HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n');
      expect(answer.toString('latin1')).to.match(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhi$/);
      expect(upstream.connections[0].text).to.equal('GET /a HTTP/1.1\r\nHost: b\r\n\r\n');
      await proxy.awaitOutcomes(1);
      expect(proxy.outcomes[0]).to.include({ status: 200, method: 'GET', path: '/a', authority: 'b', attempts: 1 });
    } finally {
      proxy.close();
      await upstream.close();
    }
  });

  it('delivers what a client writes in pieces as several reads', async () => {
    const sizes: number[] = [];
    const upstream = await startRawUpstream((peer) =>
      peer.socket.on('data', (chunk: Buffer) => sizes.push(chunk.length)),
    );
    const client = await RawClient.connect(upstream.port);
    await client.writePieces('abcdefghijkl', 2);
    client.end();
    await (await upstream.awaitConnection()).awaitEnd();
    await upstream.close();
    expect(sizes.reduce((sum, size) => sum + size, 0)).to.equal(12);
    expect(sizes.length).to.be.greaterThan(1);
  });

  it('fails a wait for text that can no longer come', async () => {
    const upstream = await startRawUpstream((peer) => peer.end('abc'));
    const client = await RawClient.connect(upstream.port);
    const failure = await client.readUntil('xyz').then(
      () => undefined,
      (error: unknown) => error,
    );
    client.destroy();
    await upstream.close();
    expect(failure).to.be.an('error').with.property('message').that.contains('"abc"');
  });
});
