import type { Direction } from '@mesher/core';
import { expect } from 'chai';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { connectHttp2, openStream, readAnswer, requestHttp2, startHttp2Server } from '../../testing/http2-peers.js';
import type { ProxyHarness } from '../../testing/proxy-harness.js';
import { useProxyRig } from '../../testing/proxy-rig.js';

/** What a sidecar adds elsewhere. */
const OPTIONS = { serverTiming: true, forwarding: { xForwardedFor: 'append', forwarded: true, via: true } } as const;

describe('a client of HTTP/2 whose requests are observed', () => {
  const rig = useProxyRig();

  async function listen(port: number, direction: Direction = 'inbound'): Promise<ProxyHarness> {
    return await rig().proxy({
      upstreamPort: port,
      speaks: 'http2',
      options: OPTIONS,
      handler: { direction },
      transparent: (handler) => ({
        find: () => ({ kind: 'intercepted', address: '127.0.0.1', port }),
        isOwnAddress: () => direction === 'inbound',
        opaquePorts: new Set(),
        httpPorts: new Set(),
        route: () => ({ handler, verdict: 'passed', http2: { handler, verdict: 'passed', isTransparent: true } }),
      }),
    });
  }

  /** All field lines of an answer in their order, head and trailers. */
  async function linesOf(to: { readonly port: number }, path: string, method = 'GET'): Promise<string[][]> {
    const stream = openStream(connectHttp2(rig(), to as ProxyHarness), { ':path': path, ':method': method });
    const lines: string[][] = [];
    const keep = (_headers: unknown, _flags: unknown, raw: string[]): void => void lines.push(raw);
    stream.on('headers', keep).on('response', keep).on('trailers', keep);
    const { body, resetCode } = await readAnswer(stream);
    return [...lines, [body.toString('latin1')], [String(resetCode)]];
  }

  function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const path = headers[':path'];
    if (path === '/empty')
      stream.respond({ ':status': 204, 'x-mesher-error': 'mine', date: 'never' }, { endStream: true });
    else if (path === '/trailers') {
      stream.additionalHeaders({ ':status': 103, link: '</x>' });
      const fields = {
        ':status': 200,
        'set-cookie': ['a=1', 'b=2'],
        server: 'odd',
        'x-mesher-error': 'THEIRS',
        date: 'never',
      };
      stream.respond(fields, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1', 'grpc-status': '0' }));
      stream.end('body');
    } else
      (stream.respond(
        { ':status': 404, 'content-length': 4, date: 'never' },
        { endStream: headers[':method'] === 'HEAD' },
      ),
        stream.end('gone'));
  }

  it('gets each answer as it is: fields, their order, interim answers, bodies and trailers', async () => {
    const server = await startHttp2Server(rig(), answer);
    for (const direction of ['inbound', 'outbound'] as const) {
      const proxy = await listen(server.port, direction);
      for (const [path, method] of [
        ['/empty', 'GET'],
        ['/trailers', 'GET'],
        ['/gone', 'GET'],
        ['/gone', 'HEAD'],
      ] as const) {
        const direct = await linesOf(server, path, method);
        expect(await linesOf(proxy, path, method), `${method} ${path}`).to.deep.equal(direct);
      }
    }
    const added = server.requests.flatMap((fields) => Object.keys(fields)).filter((name) => /forward|via/.test(name));
    expect(added, 'fields of forwarding in requests').to.deep.equal([]);
  });

  it('gets no answer that a sidecar has made: a stream of which nobody can be told is reset', async () => {
    const proxy = await listen(1);
    for (const type of ['text/plain', 'application/grpc']) {
      const { status, resetCode } = await requestHttp2(connectHttp2(rig(), proxy), { 'content-type': type });
      expect([status, resetCode], type).to.deep.equal([0, 7]);
    }
    const codes = proxy.outcomes.filter(({ method }) => method !== '').map(({ code, status }) => [code, status]);
    expect(codes).to.deep.equal([
      ['MESH_ERR_CONNECT', 0],
      ['MESH_ERR_CONNECT', 0],
    ]);
  });

  it('sees a gRPC answer break off, and no status of a sidecar', async () => {
    const server = await startHttp2Server(rig(), (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write('x', () => stream.session?.destroy());
    });
    const proxy = await listen(server.port, 'outbound');
    const { trailers, resetCode } = await requestHttp2(connectHttp2(rig(), proxy), {
      'content-type': 'application/grpc',
    });
    expect([Object.keys(trailers), resetCode]).to.deep.equal([[], 2]);
  });
});
