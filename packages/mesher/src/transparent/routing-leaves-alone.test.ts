import { expect } from 'chai';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { HttpSettingsRig } from '../testing/http-settings-rig.js';

/** What netramesh had trouble with once its routing was on: see its CHANGELOG, 0.2.1, 0.6.1, 0.6.4, 0.7 and 0.9.1. */
describe('routing by header leaves alone', () => {
  let rig: HttpSettingsRig;
  const servers: (TcpServer | Server)[] = [];

  beforeEach(async () => {
    rig = await HttpSettingsRig.open({ routing: { enabled: true, allow: ['localhost'] } });
  });
  afterEach(async () => {
    await rig.close();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function listen(server: TcpServer | Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve));
    return (server.address() as AddressInfo).port;
  }

  it('connections that are no HTTP, which go where they were going', async () => {
    const echo = await listen(createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket)));
    expect(await rig.talk(echo, '\x00\x01not HTTP at all\r\n')).to.equal('\x00\x01not HTTP at all\r\n');
  });

  it('the answer to HEAD, which has a length and no body, and the requests that follow', async () => {
    const app = await listen(
      createHttpServer((request, response) => {
        response.setHeader('Content-Length', '5');
        response.end(request.method === 'HEAD' ? undefined : 'hello');
      }),
    );
    const requests = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const answer = await rig.talk(app, requests);
    expect(answer.match(/HTTP\/1.1 200/g)).to.have.length(2);
    expect(answer).to.match(/\r\n\r\nHTTP\/1.1 200 OK[^]*\r\n\r\nhello$/);
  });

  it('100 (Continue), after which the real answer comes', async () => {
    const app = await listen(
      createHttpServer((request, response) => {
        request.resume().on('end', () => response.end('got it'));
      }),
    );
    const head = 'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n';
    expect(await rig.talk(app, `${head}ok`)).to.match(/^HTTP\/1.1 100 [^]*HTTP\/1.1 200 OK[^]*got it$/);
  });

  it('the first message of a WebSocket, which comes once', async () => {
    let said = '';
    const app = await listen(
      createHttpServer().on('upgrade', (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello');
        socket.on('data', (bytes: Buffer) => {
          said += bytes.toString();
          if (said.includes('bye')) socket.end();
        });
      }),
    );
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: x\r\n\r\n';
    expect(await rig.talk(app, `${request}one-two-bye`)).to.match(/^HTTP\/1.1 101 [^]*\r\n\r\nhello$/);
    expect(said).to.equal('one-two-bye');
  });

  it('nobody in doubt about a target that refuses: the answer says so', async () => {
    const gone = await listen(createServer());
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const original = await listen(createHttpServer((_request, response) => response.end('original')));
    const route = `X-Route: a=localhost:${gone}\r\n`;
    const answer = await rig.talk(original, `GET / HTTP/1.1\r\nHost: a\r\n${route}Connection: close\r\n\r\n`);
    expect(answer).to.match(/^HTTP\/1.1 502 [^]*x-mesher-error: MESH_ERR_CONNECT/);
  });
});
