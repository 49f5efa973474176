import { expect } from 'chai';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { fieldsOf, type Echo } from './support/app.js';
import { eventually } from './support/eventually.js';
import { call } from './support/http-call.js';
import { useScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';
import { converse, TcpApp } from './support/wire-apps.js';

const GREETING = 'who is there?\n';

describe('a TCP listener of mesher.listeners', () => {
  const scene = useScene();
  const apps: TcpApp[] = [];

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.stop();
  });

  async function serving(serve: (socket: Socket) => unknown): Promise<TcpApp> {
    const app = await TcpApp.serving(serve);
    apps.push(app);
    return app;
  }

  /** A sidecar with a listener for the service `store`, which lies in a hand-written file at `port`. */
  async function startListener(...ports: readonly number[]): Promise<{ sidecar: Sidecar; listen: string }> {
    await scene().write('disco/store', ports.map((port) => `127.0.0.1 ${port}\n`).join(''));
    const listen = `127.0.0.1:${await scene().ports.take()}`;
    const mesher = { 'mesher.listeners': [{ listen, service: 'store' }] };
    return { sidecar: await scene().sidecar({ service: 'hello', host: 'none', mesher }), listen };
  }

  function dial(address: string): Socket {
    const [host, port] = address.split(':');
    return connect({ host, port: Number(port), allowHalfOpen: true }).setEncoding('utf8');
  }

  it('relays to the service what is no HTTP, both ways and byte by byte', async () => {
    const echo = await serving((socket) => socket.pipe(socket));
    const { listen } = await startListener(echo.port);
    const bytes = 'PING \u0000\u0001\r\n\r\n'.repeat(20_000);
    expect(await converse(listen, bytes)).to.equal(bytes);
  });

  it('lets a server speak first, as mail servers and databases do', async () => {
    const app = await serving((socket) => {
      socket.write(GREETING);
      socket.pipe(socket);
    });
    const { listen } = await startListener(app.port);
    const socket = dial(listen);
    expect(await once(socket, 'data')).to.deep.equal([GREETING]);
    socket.end('me');
    expect(await once(socket, 'data')).to.deep.equal(['me']);
    await once(socket, 'end');
    socket.destroy();
  });

  it('keeps the other direction open when one side has said all it has to say', async () => {
    const app = await serving((socket) => {
      let heard = '';
      socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
      socket.once('end', () => socket.end(`after the end: ${heard}`));
    });
    const { listen } = await startListener(app.port);
    expect(await converse(listen, 'a whole request\n')).to.equal('after the end: a whole request\n');
  });

  it('closes the connection to the service when the client breaks off, even if the service would stay', async () => {
    const app = await serving((socket) => void socket.write(GREETING));
    const { listen } = await startListener(app.port);
    const socket = dial(listen);
    await once(socket, 'data');
    expect(app.openConnections).to.equal(1);
    socket.resetAndDestroy();
    await eventually('the connection to the service is closed', () => app.openConnections === 0);
  });

  it('dials another instance when one refuses', async () => {
    const app = await serving((socket) => socket.end(GREETING));
    const { listen } = await startListener(await scene().ports.take(), app.port);
    for (let i = 0; i < 4; i++) expect(await converse(listen, '')).to.equal(GREETING);
  });

  it('closes the connection when the service has no instance that answers', async () => {
    const { listen, sidecar } = await startListener(await scene().ports.take());
    const socket = dial(listen);
    // A reset is as good as an end.
    await new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve));
    expect(await sidecar.metric('mesher_rejections_total', { service: 'store', code: 'MESH_ERR_CONNECT' })).to.equal(1);
  });

  it('serves HTTP over it as calls of the service, whatever the Host says', async () => {
    const app = await scene().app({ name: 'store' });
    const { sidecar, listen } = await startListener(app.port);
    const answer = await call(`http://${listen}/api`);
    const echo = JSON.parse(answer.body) as Echo;
    expect([answer.status, echo.name, echo.url]).to.deep.equal([200, 'store', '/api']);
    const labels = { direction: 'outbound', service: 'store', status_class: '2xx' };
    expect(await sidecar.metric('mesher_requests_total', labels)).to.equal(1);
  });

  it('passes HTTP on as bytes with protocol: tcp, without a look', async () => {
    const app = await scene().app({ name: 'store' });
    await scene().write('disco/store', `127.0.0.1 ${app.port}\n`);
    const listen = `127.0.0.1:${await scene().ports.take()}`;
    const mesher = { 'mesher.listeners': [{ listen, service: 'store', protocol: 'tcp' }] };
    const sidecar = await scene().sidecar({ service: 'hello', host: 'none', mesher });
    const { status, body } = await call(`http://${listen}/api`);
    expect(status).to.equal(200);
    expect(fieldsOf(JSON.parse(body) as Echo, 'x-cse-src-microservice')).to.deep.equal([]);
    expect(await sidecar.metric('mesher_connection_protocols_total', { protocol: 'http1' })).to.equal(0);
  });

  it('with a target takes connections of others in, to a local port', async () => {
    const app = await serving((socket) => socket.pipe(socket));
    const listen = `127.0.0.9:${await scene().ports.take()}`;
    await scene().sidecar({
      service: 'store',
      mesher: { 'mesher.listeners': [{ listen, target: `127.0.0.1:${app.port}` }] },
    });
    expect(await converse(listen, 'through the door')).to.equal('through the door');
  });
});
