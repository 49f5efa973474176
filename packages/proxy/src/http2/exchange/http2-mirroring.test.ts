import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Endpoint } from '@mesher/core';
import { expect } from 'chai';
import { DEFAULT_PROXY_OPTIONS, type ProxyOptions } from '../../options.js';
import {
  connectHttp2,
  openStream,
  readAnswer,
  requestHttp2,
  startHttp2Server,
  type Http2TestServer,
} from '../../testing/http2-peers.js';
import type { ProxyHarness } from '../../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../../testing/proxy-rig.js';

interface Mirrored {
  readonly proxy: ProxyHarness;
  readonly server: Http2TestServer;
  readonly shadow: Http2TestServer;
  /** Bodies that the two got. */
  readonly bodies: string[];
  readonly copies: string[];
}

describe('a copy of a call over HTTP/2', () => {
  const rig = useProxyRig();

  function replying(bodies: string[], text: string): (stream: ServerHttp2Stream) => void {
    return (stream) => {
      const at = bodies.push('') - 1;
      stream.on('data', (piece: Buffer) => (bodies[at] += piece.toString()));
      stream.on('end', () => {
        // Node ends the body of a stream that was reset, too.
        if (stream.destroyed) return;
        stream.respond({ ':status': 200 });
        stream.end(text);
      });
    };
  }

  async function mirrored(
    settings: {
      readonly mirror?: Partial<ProxyOptions['mirror']>;
      readonly authority?: string;
      readonly onShadow?: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
    } = {},
  ): Promise<Mirrored> {
    const bodies: string[] = [];
    const copies: string[] = [];
    const server = await startHttp2Server(rig(), replying(bodies, 'real'));
    const shadow = await startHttp2Server(rig(), settings.onShadow ?? replying(copies, 'shadow'.repeat(100_000)));
    const to = new Endpoint('127.0.0.1', shadow.port, undefined, 1, undefined, 'http2');
    const proxy: ProxyHarness = await rig().proxy({
      upstreamPort: server.port,
      speaks: 'http2',
      options: { mirror: { ...DEFAULT_PROXY_OPTIONS.mirror, ...settings.mirror } },
      handler: {
        begin: (call) => {
          call.addHeader('x-edit', 'e');
          call.mirror = { endpoint: to, authority: settings.authority ?? 'a-shadow' };
          return proxy.endpoint;
        },
      },
    });
    return { proxy, server, shadow, bodies, copies };
  }

  function numbers({ proxy }: Mirrored): Record<string, unknown> {
    const { mirrorsOpen, mirrorsAnswered, mirrorsFailed, mirrorsDropped } = proxy.proxy.stats;
    return { open: mirrorsOpen, answered: mirrorsAnswered, failed: mirrorsFailed, dropped: [...mirrorsDropped] };
  }

  it('goes elsewhere with its body and another authority; the client gets the real answer', async () => {
    const made = await mirrored();
    const session = connectHttp2(rig(), made.proxy);
    for (let i = 1; i <= 2; i++) {
      const answer = await requestHttp2(session, { ':method': 'POST', ':path': '/x' }, 'body');
      expect(String(answer.body)).to.equal('real');
      await until(() => made.proxy.proxy.stats.mirrorsAnswered === i);
    }
    expect(made.server.requests[1]).to.include({ ':authority': 'a', ':path': '/x', 'x-edit': 'e' });
    expect(made.shadow.requests[1]).to.include({ ':authority': 'a-shadow', ':path': '/x', 'x-edit': 'e' });
    expect([made.bodies, made.copies]).to.deep.equal([
      ['body', 'body'],
      ['body', 'body'],
    ]);
    expect(numbers(made)).to.deep.equal({ open: 0, answered: 2, failed: 0, dropped: [] });
  });

  it('is given up when its body gets too large, and the call is not', async () => {
    const made = await mirrored({ mirror: { maxBodyBytes: 1000 } });
    const stream = openStream(connectHttp2(rig(), made.proxy), { ':method': 'POST' }, false);
    const answer = readAnswer(stream);
    stream.write('x'.repeat(1000));
    await made.shadow.awaitStream(1);
    stream.end('y');
    expect((await answer).status).to.equal(200);
    await until(() => made.shadow.streams[0].closed);
    expect(made.bodies[0].length).to.equal(1001);
    expect(numbers(made)).to.deep.equal({ open: 0, answered: 0, failed: 0, dropped: [['body-too-large', 1]] });
  });

  it('ends with the call when that ends before its request is complete', async () => {
    const made = await mirrored();
    const session = connectHttp2(rig(), made.proxy);
    openStream(session, { ':method': 'POST' }, false);
    await made.shadow.awaitStream(1);
    await made.server.awaitStream(1);
    session.destroy();
    await made.proxy.awaitOutcomes(1);
    await until(() => made.shadow.streams[0].closed && made.server.streams[0].closed);
    expect(numbers(made)).to.deep.equal({ open: 0, answered: 0, failed: 1, dropped: [] });
  });

  it('may take no longer than allowed, whatever becomes of the call', async () => {
    const made = await mirrored({ onShadow: () => undefined, mirror: { timeout: 1000 } });
    expect((await requestHttp2(connectHttp2(rig(), made.proxy))).status).to.equal(200);
    await made.shadow.awaitStream(1);
    await settleSockets();
    rig().pass(1000);
    await until(() => made.shadow.streams[0].closed);
    expect(numbers(made)).to.deep.equal({ open: 0, answered: 0, failed: 1, dropped: [] });
  });

  it('is not made when there are too many, or when its authority is none', async () => {
    const many = await mirrored({ mirror: { maxConcurrent: 0 } });
    expect((await requestHttp2(connectHttp2(rig(), many.proxy))).status).to.equal(200);
    expect(numbers(many)).to.deep.equal({ open: 0, answered: 0, failed: 0, dropped: [['too-many', 1]] });
    const bad = await mirrored({ authority: 'a b' });
    expect((await requestHttp2(connectHttp2(rig(), bad.proxy))).status).to.equal(200);
    expect(numbers(bad)).to.deep.equal({ open: 0, answered: 0, failed: 0, dropped: [['not-mirrorable', 1]] });
  });
});
