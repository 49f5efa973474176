import { Rejection } from '@mesher/core';
import { expect } from 'chai';
import { answerOf } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const TOO_LARGE = answerOf('too large', 'HTTP/1.1 413 Content Too Large\r\n');
const TOO_LARGE_CLOSING = answerOf('too large', 'HTTP/1.1 413 Content Too Large\r\n').replace(
  '\r\n\r\n',
  '\r\nConnection: close\r\n\r\n',
);

describe('final answers before the end of the request', () => {
  const rig = useProxyRig();

  it('gives the client the whole 413 of an upstream that then closes, while it is uploading', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    client.write('x'.repeat(100_000));
    peer.end(TOO_LARGE);
    await client.awaitEnd();
    expect(client.text).to.equal(TOO_LARGE_CLOSING);
    await proxy.awaitOutcomes(1);
    expect(proxy.outcomes[0]).to.include({ status: 413, code: undefined, aborted: false });
    // The client is read to its end, so that the reset of a connection with unread bytes cannot overtake the answer.
    client.write('x'.repeat(100_000));
    await settleSockets();
    expect(client.error).to.equal(undefined);
    client.end();
    await client.awaitClose();
    expect(client.error).to.equal(undefined);
  });

  it('gives the client the whole 413 of an upstream that resets the connection right behind it', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    // In one turn of the event loop: the proxy finds more of the body to forward before it finds the answer, and cannot write it.
    client.write('x'.repeat(100_000));
    peer.write(TOO_LARGE);
    peer.reset();
    await client.awaitEnd();
    expect(client.text).to.equal(TOO_LARGE_CLOSING);
    expect(proxy.outcomes[0]).to.include({ status: 413, code: undefined });
  });

  it('gives a real client the whole 413 of a node:http server that destroys the connection', async () => {
    const server = await rig().nodeServer((incoming, outgoing) => {
      outgoing.writeHead(413, { connection: 'close', 'content-type': 'text/plain' });
      outgoing.end('no more than 10 bytes', () => incoming.destroy());
    });
    const proxy = await rig().proxy({ upstreamPort: server.port });
    const client = await rig().send(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    let stop = false;
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const upload = (async () => {
      while (!stop && !client.ended) await new Promise<void>((resolve) => client.socket.write(chunk, () => resolve()));
    })();
    await client.readUntil('no more than 10 bytes');
    stop = true;
    await upload;
    expect(client.text).to.match(/^HTTP\/1\.1 413 /);
  });

  it('forwards the rest of the upload after an early answer, for an upstream that goes on reading', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('hello');
    peer.write(answerOf('no', 'HTTP/1.1 400 Bad Request\r\n'));
    await client.readUntil('\r\n\r\nno');
    client.write('world');
    await peer.readUntil('helloworld');
    await client.awaitEnd();
    expect(client.text).to.contain('\r\nConnection: close\r\n');
    await until(() => proxy.proxy.stats.upstreamIdle === 1);
  });

  it('closes the connection after its own answer to an upload, and lets the client read it', async () => {
    const proxy = await rig().proxy({ handler: { begin: () => new Rejection('MESH_ERR_DENIED') } });
    const client = await rig().send(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc');
    await client.awaitEnd();
    expect(client.text).to.match(/^HTTP\/1\.1 403 [^]*connection: close\r\n/);
    client.write('x'.repeat(200_000));
    await settleSockets();
    expect(client.error).to.equal(undefined);
    expect(proxy.proxy.stats.connectionsOpen).to.equal(1);
    rig().pass(2_000);
    await until(() => proxy.proxy.stats.connectionsOpen === 0);
  });
});
