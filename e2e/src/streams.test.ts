import { expect } from 'chai';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { App } from './support/app.js';
import { curl, requireCurl, run } from './support/command.js';
import { eventually } from './support/eventually.js';
import { useSharedScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';
import { TcpApp } from './support/wire-apps.js';

/** What programs/app-main.ts says about an upload. */
interface Upload {
  readonly bytes: number;
  readonly sha256: string;
  readonly expect?: string;
  readonly coding?: string;
  readonly length?: string;
}

describe('through two sidecars go', () => {
  const mesh = useSharedScene<{ caller: Sidecar; app: App; file: string; registry: string }>(async (scene) => {
    const { app } = await scene.service('world');
    const caller = await scene.sidecar({ service: 'hello', host: 'none' });
    const file = await scene.write('upload.bin', '0123456789abcdef'.repeat(65_536));
    return { caller, app, file, registry: scene.registry };
  });

  describe('WebSockets:', () => {
    async function open(protocols: string[] = []): Promise<WebSocket> {
      const socket = new WebSocket(`ws://${mesh().caller.outbound}/chat`, protocols, { headers: { host: 'world' } });
      await once(socket, 'open');
      return socket;
    }

    async function close(socket: WebSocket): Promise<void> {
      socket.close(1000);
      await once(socket, 'close');
    }

    it('messages of text and bytes in both directions, in their order', async () => {
      const socket = await open();
      const sent = [...Array.from({ length: 50 }, (_, i) => `message ${i}`), Buffer.alloc(300_000, 'b')];
      const received: (string | Buffer)[] = [];
      const all = new Promise<void>((resolve) =>
        socket.on('message', (data: Buffer, isBinary) => {
          received.push(isBinary ? data : data.toString());
          if (received.length === sent.length) resolve();
        }),
      );
      for (const message of sent) socket.send(message);
      await all;
      expect(received).to.deep.equal(sent);
      await close(socket);
    });

    it('pings, and the close with its code', async () => {
      const socket = await open();
      const pong = once(socket, 'pong');
      socket.ping('are you there');
      expect(String((await pong)[0])).to.equal('are you there');
      socket.close(4321, 'enough');
      const [code] = (await once(socket, 'close')) as [number];
      expect(code).to.equal(4321);
    });

    it('with the end of the connection when the client just goes away', async () => {
      const { caller } = mesh();
      const socket = await open();
      socket.terminate();
      await eventually('no upstream connection is left in use', async () => {
        const openNow = await caller.metric('mesher_upstream_connections_open');
        return openNow === (await caller.metric('mesher_upstream_connections_idle'));
      });
    });
  });

  describe('server-sent events:', () => {
    it('each one as it comes, not when there are enough', async () => {
      const { caller, app } = mesh();
      const reader = get({
        ...{ host: '127.0.0.1', port: caller.port, path: '/events', agent: false },
        headers: { host: 'world', accept: 'text/event-stream' },
      });
      const [incoming] = (await once(reader, 'response')) as [IncomingMessage];
      expect(incoming.headers['content-type']).to.equal('text/event-stream');
      incoming.setEncoding('utf8');
      for (const event of ['one', 'two', 'three']) {
        const next = once(incoming, 'data');
        await app.sendEvent(event);
        expect(await next).to.deep.equal([`data: ${event}\n\n`]);
      }
      reader.destroy();
    });
  });

  describe('CONNECT:', () => {
    it('a tunnel to a service, for bytes that are no HTTP', async () => {
      const echo = await TcpApp.serving((socket) => socket.pipe(socket));
      try {
        const { caller } = mesh();
        await writeFile(join(mesh().registry, 'raw'), `127.0.0.1 ${echo.port}\n`);
        const socket = await eventually('the tunnel opens', async () => {
          const candidate = connect({ host: '127.0.0.1', port: caller.port }).setEncoding('latin1');
          candidate.write('CONNECT raw:443 HTTP/1.1\r\nHost: raw:443\r\n\r\n');
          const [head] = (await once(candidate, 'data')) as [string];
          if (head.startsWith('HTTP/1.1 200')) return candidate;
          candidate.destroy();
          return false;
        });
        for (const bytes of ['\u0016\u0003\u0001 hello', 'GET nothing of HTTP\r\n\r\n']) {
          socket.write(bytes, 'latin1');
          expect(await once(socket, 'data')).to.deep.equal([bytes]);
        }
        socket.end();
        await once(socket, 'close');
      } finally {
        await echo.stop();
      }
    });
  });

  describe('uploads by curl:', () => {
    async function upload(...args: string[]): Promise<{ answer: Upload; log: string }> {
      const { caller } = mesh();
      const url = 'http://world/upload';
      const { code, stdout, stderr } = await run('curl', ['-v', '-s', '-m', '20', '-x', caller.outbound, ...args, url]);
      expect(code, stderr).to.equal(0);
      return { answer: JSON.parse(stdout) as Upload, log: stderr };
    }

    it('100-continue comes from the application, before the body is sent', async function () {
      requireCurl(this);
      const { answer, log } = await upload('-H', 'Expect: 100-continue', '--data-binary', `@${mesh().file}`);
      expect(log).to.match(/< HTTP\/1\.1 100 Continue[^]*< HTTP\/1\.1 200 /);
      expect(answer).to.include({ bytes: 1_048_576, expect: '100-continue', length: '1048576' });
    });

    it('a body of unknown length stays chunked', async function () {
      requireCurl(this);
      const { answer } = await upload('-H', 'Transfer-Encoding: chunked', '-T', mesh().file, '-X', 'POST');
      expect(answer).to.include({ bytes: 1_048_576, coding: 'chunked' });
      expect(answer).not.to.have.property('length');
    });

    it('arrive byte for byte', async function () {
      requireCurl(this);
      const { answer } = await upload('-T', mesh().file);
      const direct = JSON.parse(await curl('-T', mesh().file, `http://127.0.0.1:${mesh().app.port}/upload`)) as Upload;
      expect(answer.sha256).to.equal(direct.sha256);
    });
  });
});
