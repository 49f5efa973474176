import { expect } from 'chai';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { isMeshError } from '@mesher/core';
import { fakePorts, settle } from '@mesher/core/testing';
import { AdminServer } from './admin-server.js';
import type { AdminServerOptions } from './admin-server.js';
import type { AdminAddress } from './bounded-server.js';
import type { AdminSources } from './sources.js';
import { fakeSources } from './testing/fake-sources.js';
import { exchange, head, openConnection, readToEnd } from './testing/raw-exchange.js';

describe('AdminServer', () => {
  const ports = fakePorts();
  const running: AdminServer[] = [];

  async function start(sources: Partial<AdminSources> = {}, options: AdminServerOptions = {}): Promise<AdminAddress> {
    const server = new AdminServer(fakeSources(sources), ports.timers, { port: 0, ...options });
    running.push(server);
    return server.listen();
  }

  afterEach(async () => {
    const closed = Promise.all(running.splice(0).map((server) => server.close()));
    ports.time.advance(10_000);
    await closed;
  });

  describe('where it listens', () => {
    it('is loopback when nothing is said', async () => {
      const { host, port, url } = await start();
      expect(host).to.equal('127.0.0.1');
      expect(url).to.equal(`http://127.0.0.1:${port}`);
      expect((await fetch(`${url}/live`)).status).to.equal(200);
    });

    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.com']) {
      it(`is not ${host} unless admin.allowRemote says so`, () => {
        const make = (allowRemote?: boolean) =>
          new AdminServer(fakeSources(), ports.timers, {
            host,
            port: 0,
            ...(allowRemote === undefined ? {} : { allowRemote }),
          });
        for (const allowRemote of [undefined, false]) {
          expect(() => make(allowRemote))
            .to.throw(/admin\.allowRemote: true/)
            .that.satisfies((error: unknown) => isMeshError(error, 'MESH_ERR_ADMIN_REMOTE'));
        }
        expect(() => make(true)).not.to.throw();
      });
    }

    it('is refused with the cause when the port is taken', async () => {
      const blocker = createServer().listen(0, '127.0.0.1');
      await once(blocker, 'listening');
      const { port } = blocker.address() as AddressInfo;
      let error: unknown;
      await start({}, { port }).catch((caught: unknown) => (error = caught));
      blocker.close();
      expect(isMeshError(error, 'MESH_ERR_ADMIN_LISTEN')).to.equal(true);
      expect(error).to.have.nested.property('cause.code', 'EADDRINUSE');
      expect(error).to.have.property('message').that.includes(`127.0.0.1:${port}`);
    });

    it('answers at every address of the machine when it listens at 0.0.0.0, but not under any name', async () => {
      const { port } = await start({}, { host: '0.0.0.0', allowRemote: true });
      expect(await exchange(port, head('GET /live HTTP/1.1', `Host: 127.0.0.1:${port}`))).to.match(/^HTTP\/1\.1 200 /);
      expect(await exchange(port, head('GET /live HTTP/1.1', `Host: 0.0.0.0:${port}`))).to.match(/^HTTP\/1\.1 403 /);
      expect(await exchange(port, head('GET /live HTTP/1.1', 'Host: pod.example'))).to.match(/^HTTP\/1\.1 403 /);
    });

    it('takes the names in allowedHosts', async () => {
      const { port } = await start({}, { allowedHosts: ['pod.example'] });
      expect(await exchange(port, head('GET /live HTTP/1.1', 'Host: pod.example:30102'))).to.match(/^HTTP\/1\.1 200 /);
    });
  });

  describe('what it refuses', () => {
    it('is a foreign Host, with a message that says what to do', async () => {
      const { port } = await start();
      const answer = await exchange(port, head('GET /config HTTP/1.1', 'Host: evil.example'));
      expect(answer)
        .to.match(/^HTTP\/1\.1 403 /)
        .and.to.include('"code": "FOREIGN_HOST"')
        .and.to.include('admin.allowedHosts');
      expect(answer).not.to.include('password');
    });

    it('is a POST that a page of another site sends, and then nothing is drained', async () => {
      let drains = 0;
      const { url } = await start({ drain: () => void drains++ });
      for (const [field, value] of [
        ['origin', 'http://evil.example'],
        ['sec-fetch-site', 'cross-site'],
      ] as const) {
        const response = await fetch(`${url}/drain`, { method: 'POST', headers: { [field]: value } });
        expect(response.status).to.equal(403);
        expect(await response.json()).to.have.property('code', 'CROSS_SITE');
      }
      expect(drains).to.equal(0);
    });

    it('is a request in absolute form, as a proxy client sends it', async () => {
      const { port } = await start();
      const answer = await exchange(port, head('GET http://world/ HTTP/1.1', 'Host: world'));
      expect(answer)
        .to.match(/^HTTP\/1\.1 400 /)
        .and.to.include('30101');
    });

    it('is a body beyond the bound, whether announced or not', async () => {
      const { port } = await start({}, { limits: { maxBodyBytes: 10 } });
      const announced = head('POST /drain HTTP/1.1', 'Content-Length: 11');
      const chunked = `${head('POST /drain HTTP/1.1', 'Transfer-Encoding: chunked')}b\r\nhello world\r\n`;
      for (const request of [announced, chunked]) {
        const answer = await exchange(port, request);
        expect(answer)
          .to.match(/^HTTP\/1\.1 413 /)
          .and.to.include('TOO_LARGE')
          .and.to.match(/connection: close/i);
      }
    });

    it('is a head beyond the bound', async () => {
      const { port } = await start({}, { limits: { maxHeadBytes: 1000 } });
      expect(await exchange(port, head('GET /live HTTP/1.1', `X: ${'x'.repeat(1100)}`))).to.match(/^HTTP\/1\.1 431 /);
    });

    it('is a head that does not come to its end in time', async () => {
      const { port } = await start({}, { limits: { headersTimeoutMs: 20 } });
      expect(await exchange(port, 'GET /live HTTP/1.1\r\nHost: localhost\r\n')).to.match(/^HTTP\/1\.1 408 /);
    });

    it('is a connection beyond the bound while all others are busy', async () => {
      let answer: ((value: { contentType: string; body: string }) => void) | undefined;
      let asked: (() => void) | undefined;
      const wasAsked = new Promise<void>((resolve) => (asked = resolve));
      const metrics = () =>
        new Promise<{ contentType: string; body: string }>((resolve) => {
          answer = resolve;
          asked?.();
        });
      const { port } = await start({ metrics }, { limits: { maxConnections: 1 } });
      const busy = exchange(port, head('GET /metrics HTTP/1.1'));
      await wasAsked;
      expect(await exchange(port, head('GET /live HTTP/1.1'))).to.equal('');
      answer?.({ contentType: 'text/plain', body: 'done' });
      expect(await busy).to.match(/^HTTP\/1\.1 200 /);
      expect(await exchange(port, head('GET /live HTTP/1.1'))).to.match(/^HTTP\/1\.1 200 /);
    });
  });

  it('closes idle connections to make room for a new one', async () => {
    const { port } = await start({}, { limits: { maxConnections: 2 } });
    const idle = await Promise.all([openConnection(port), openConnection(port)]);
    const closed = idle.map((socket) => readToEnd(socket));
    for (const socket of idle) {
      socket.write('GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(socket, 'data');
    }
    expect(await exchange(port, head('GET /live HTTP/1.1'))).to.match(/^HTTP\/1\.1 200 /);
    for (const answer of await Promise.all(closed)) expect(answer).to.match(/^HTTP\/1\.1 200 /);
  });

  it('uses a connection again after a request with a body', async () => {
    const { port } = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const locals: (number | undefined)[] = [];
    for (let turn = 0; turn < 2; turn++) {
      const sent = request({ port, path: '/live', agent, headers: { 'content-length': 2 } });
      sent.end('{}');
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      locals.push(response.socket.localPort);
      response.resume();
      await once(response, 'end');
    }
    agent.destroy();
    expect(locals[0]).to.equal(locals[1]);
  });

  it('is not disturbed by a client that leaves in the middle of its body', async () => {
    const { port, url } = await start();
    const socket = await openConnection(port);
    socket.write('POST /drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf');
    socket.destroy();
    await once(socket, 'close');
    expect((await fetch(`${url}/live`)).status).to.equal(200);
  });

  describe('close()', () => {
    it('does not wait for clients that keep their connection', async () => {
      const { port } = await start();
      const socket = await openConnection(port);
      const ended = readToEnd(socket);
      socket.write('GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(socket, 'data');
      await running.pop()?.close();
      expect(await ended).to.match(/^HTTP\/1\.1 200 /);
    });

    it('lets an answer that is being made go out, and closes its connection', async () => {
      let answer: (() => void) | undefined;
      let asked: (() => void) | undefined;
      const wasAsked = new Promise<void>((resolve) => (asked = resolve));
      const metrics = () =>
        new Promise<{ contentType: string; body: string }>((resolve) => {
          answer = () => resolve({ contentType: 'text/plain', body: 'late' });
          asked?.();
        });
      const { port } = await start({ metrics });
      const reply = exchange(port, 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await wasAsked;
      const closed = running.pop()?.close();
      answer?.();
      await closed;
      expect(await reply)
        .to.match(/^HTTP\/1\.1 200 /)
        .and.to.include('late');
    });

    it('ends within its bound when an answer never comes, and may be called twice', async () => {
      let asked: (() => void) | undefined;
      const wasAsked = new Promise<void>((resolve) => (asked = resolve));
      const metrics = () => {
        asked?.();
        return new Promise<never>(() => {});
      };
      const { port } = await start({ metrics }, { limits: { closeTimeoutMs: 500 } });
      const reply = exchange(port, head('GET /metrics HTTP/1.1'));
      await wasAsked;
      const server = running.pop();
      let closed = false;
      const both = Promise.all([server?.close(), server?.close()]).then(() => (closed = true));
      ports.time.advance(499);
      await settle();
      expect(closed).to.equal(false);
      ports.time.advance(1);
      await both;
      expect(await reply).to.equal('');
    });

    it('closes what is only about to listen', async () => {
      const server = new AdminServer(fakeSources(), ports.timers, { port: 0 });
      const address = server.listen();
      await server.close();
      const { url } = await address;
      expect(await fetch(`${url}/live`).catch(() => 'refused')).to.equal('refused');
    });

    it('is harmless before listen()', async () => {
      await new AdminServer(fakeSources(), ports.timers).close();
    });
  });
});
