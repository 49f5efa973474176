import { expect } from 'chai';
import type { Echo } from './support/app.js';
import { curl, requireCurl, requireProgram, run } from './support/command.js';
import { GrpcApp } from './support/grpc/grpc-app.js';
import { useSharedScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';

/** Requests of one run of h2load: many times what one connection holds at once. */
const REQUESTS = 4_000;

describe('clients of HTTP/2 without TLS reach an application that speaks HTTP/1:', () => {
  const mesh = useSharedScene<{ caller: Sidecar; world: Sidecar; file: string }>(async (scene) => {
    const { sidecar: world } = await scene.service('world');
    const file = await scene.write('upload.bin', '0123456789abcdef'.repeat(65_536));
    return { caller: await scene.sidecar({ service: 'hello', host: 'none' }), world, file };
  });

  /** curl at the sidecar as if it was the service. @returns version of HTTP, status and body */
  async function get(path: string, ...args: string[]): Promise<[version: string, status: string, body: string]> {
    const to = ['--connect-to', `world:80:${mesh().caller.outbound}`];
    const answer = await curl(...to, '-w', '\n%{http_version} %{http_code}', ...args, `http://world${path}`);
    const end = answer.lastIndexOf('\n');
    const [version = '', status = ''] = answer.slice(end + 1).split(' ');
    return [version, status, answer.slice(0, end)];
  }

  it('curl with prior knowledge', async function () {
    requireCurl(this, 'HTTP2');
    const [version, status, body] = await get('/hi?a=b', '--http2-prior-knowledge', '-d', 'a body');
    expect([version, status]).to.deep.equal(['2', '200']);
    expect(JSON.parse(body) as Echo).to.include({ name: 'world', method: 'POST', url: '/hi?a=b', body: 'a body' });
  });

  it('curl that asks for HTTP/2 by an upgrade', async function () {
    requireCurl(this, 'HTTP2');
    const [version, status, body] = await get('/hi', '--http2');
    expect([version, status]).to.deep.equal(['2', '200']);
    expect(JSON.parse(body) as Echo).to.include({ name: 'world', method: 'GET', url: '/hi' });
  });

  it('curl that asks for an upgrade with a body, which is answered in HTTP/1', async function () {
    requireCurl(this, 'HTTP2');
    const [, status, body] = await get('/hi', '--http2', '-d', 'a body');
    expect(status).to.equal('200');
    expect(JSON.parse(body) as Echo).to.include({ method: 'POST', body: 'a body' });
  });

  it('curl with uploads and downloads of a megabyte and more', async function () {
    requireCurl(this, 'HTTP2');
    const [, status, body] = await get('/upload', '--http2-prior-knowledge', '-T', mesh().file);
    expect([status, (JSON.parse(body) as { bytes: number }).bytes]).to.deep.equal(['200', 1_048_576]);
    const size = await get(
      '/bytes/5000000',
      '--http2-prior-knowledge',
      '-o',
      '/dev/null',
      '-w',
      '%{size_download}\n2 200',
    );
    expect(size).to.deep.equal(['2', '200', '5000000']);
  });

  it('curl with the status of the application, and with that of the sidecar', async function () {
    requireCurl(this, 'HTTP2');
    expect((await get('/status/418', '--http2-prior-knowledge')).slice(0, 2)).to.deep.equal(['2', '418']);
    const to = ['--connect-to', `nobody:80:${mesh().caller.outbound}`];
    const head = await curl('--http2-prior-knowledge', '-o', '/dev/null', '-D', '-', ...to, 'http://nobody/');
    expect(head)
      .to.match(/^HTTP\/2 404/)
      .and.to.include('x-mesher-error: MESH_ERR_NO_ROUTE');
  });

  it('nghttp', async function () {
    requireProgram(this, 'nghttp');
    const { code, stdout, stderr } = await run('nghttp', [
      ...['-H', ':authority: world'],
      `http://${mesh().caller.outbound}/hi`,
    ]);
    expect(code, stderr).to.equal(0);
    expect(JSON.parse(stdout) as Echo).to.include({ name: 'world', url: '/hi' });
  });

  it('h2load: thousands of requests on four connections, not one of which fails', async function () {
    requireProgram(this, 'h2load');
    await expectNoFailure(mesh().caller.outbound, ['-H', ':authority: world', '-c', '4', '-m', '32']);
  });
});

describe('clients of HTTP/2 without TLS reach an application that speaks HTTP/2:', () => {
  const mesh = useSharedScene<{ world: Sidecar }>(async (scene) => {
    const grpcApp = await GrpcApp.start(scene, { name: 'world' });
    return { world: await scene.sidecar({ service: 'world', grpcApp }) };
  });

  it('h2load with calls of gRPC, not one of which fails', async function () {
    requireProgram(this, 'h2load');
    const path = '/mesher.test.Echo/Say';
    const fields = ['-H', 'content-type: application/grpc', '-H', 'te: trailers', '-H', ':method: POST'];
    await expectNoFailure(mesh().world.grpcInbound, [...fields, '-c', '4', '-m', '32'], path);
    // h2load sends no message, which the server of grpc-js answers with a status of its own; each call got one.
    expect(await mesh().world.metric('mesher_grpc_requests_total', { direction: 'inbound' })).to.equal(REQUESTS);
  });
});

/** Runs h2load and looks at its sums: nothing failed, and each answer had the status 200. */
async function expectNoFailure(address: string, args: readonly string[], path = '/'): Promise<void> {
  const { code, stdout, stderr } = await run('h2load', ['-n', String(REQUESTS), ...args, `http://${address}${path}`]);
  expect(code, stderr).to.equal(0);
  expect(stdout).to.include(`${REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout`);
  expect(stdout).to.include(`status codes: ${REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx`);
}
