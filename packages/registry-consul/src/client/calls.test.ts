import { expect } from 'chai';
import { schemaDefaults, systemPorts } from '@mesher/core';
import { makeSelfSigned, RecordingLogger } from '@mesher/core/testing';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createSecureServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consulSchema } from '../options.js';
import { ConsulServer } from '../testing/index.js';
import type { ConsulClient } from './consul-client.js';
import type { ConnectionOptions } from './connection-options.js';
import { openClient } from './open-client.js';

const NOW = { index: 0n, waitMs: 0 };

describe('the way to Consul', () => {
  let confDir: string;
  const clients: ConsulClient[] = [];
  const servers: { close(done: () => void): unknown }[] = [];
  const sockets = new Set<Socket>();
  const { signal } = new AbortController();

  beforeEach(async () => {
    confDir = await mkdtemp(join(tmpdir(), 'mesher-consul-'));
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    await rm(confDir, { recursive: true, force: true });
  });

  async function open(address: string, more: Partial<ConnectionOptions> = {}): Promise<ConsulClient> {
    const options = { ...schemaDefaults(consulSchema), ...more };
    const context = { ports: systemPorts(), confDir, logger: new RecordingLogger() };
    const client = await openClient({ options, addresses: [address], maxHeld: 10 }, context);
    clients.push(client);
    return client;
  }

  /** A server that does with each connection what `serve` does. */
  async function listen(serve: (socket: Socket, count: number) => void): Promise<string> {
    let count = 0;
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      serve(socket, ++count);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function answering(head: string, body: string, after: (socket: Socket) => void = () => {}): (socket: Socket) => void {
    return (socket) => {
      socket.on('data', () => {
        socket.write(
          `HTTP/1.1 200 OK\r\nX-Consul-Index: 1\r\nContent-Type: application/json\r\n${head}\r\n\r\n${body}`,
        );
        after(socket);
      });
    };
  }

  async function failureOf(work: Promise<unknown>): Promise<Error & { code?: string }> {
    const failure: unknown = await work.catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error);
    return failure as Error;
  }

  for (const [words, serve, said] of [
    ['breaks off', answering('Content-Length: 100', '[', (socket) => socket.end()), 'an answer that broke off'],
    ['never ends', answering('Content-Length: 100', '['), 'no answer within 50 ms'],
    ['is too large', answering('Content-Length: 999999', 'x'.repeat(99_999)), 'an answer of more than 65536 bytes'],
    ['never comes', () => {}, 'no answer within 50 ms'],
    ['is no HTTP', (socket: Socket) => void socket.write('hello\r\n\r\n'), 'HPE_'],
    ['is a closed connection', (socket: Socket) => void socket.on('data', () => socket.destroy()), 'ECONNRESET'],
  ] as const) {
    it(`does not wait for ever, nor take half for whole, when an answer ${words}`, async () => {
      // Where the time is not the subject, a busy machine must not run out of it.
      const requestTimeout = said.includes('50 ms') ? 50 : 8_000;
      const client = await open(await listen(serve), { requestTimeout, maxResponseBytes: 65_536 });
      const failure = await failureOf(client.serviceNames(NOW, signal));
      expect(failure.code).to.equal('CONSUL_UNREACHABLE');
      expect(failure.message).to.contain(said);
    });
  }

  it('gives up at once when it is told to, and ends the connection', async () => {
    const abort = new AbortController();
    let ended: Promise<void> | undefined;
    const address = await listen((socket) => {
      ended = new Promise((resolve) => socket.on('close', () => resolve()));
      socket.on('data', () => abort.abort(new Error('enough')));
    });
    const client = await open(address);
    const failure = await failureOf(client.serviceNames({ index: 5n, waitMs: 30_000 }, abort.signal));
    expect(failure.message).to.equal('enough');
    await ended;
  });

  it('asks once more when an idle connection had ended, but not for an answer that was held', async () => {
    const address = await listen((socket, count) => {
      let asked = 0;
      socket.on('data', () => {
        if (count === 1 && ++asked === 2) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nX-Consul-Index: 1\r\nContent-Length: 2\r\n\r\n{}');
      });
    });
    const client = await open(address);
    await client.serviceNames(NOW, signal);
    await client.serviceNames(NOW, signal);
    const held = await listen((socket) => {
      let asked = 0;
      socket.on('data', () => {
        if (++asked === 2) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nX-Consul-Index: 1\r\nContent-Length: 2\r\n\r\n{}');
      });
    });
    const other = await open(held);
    await other.serviceNames(NOW, signal);
    const failure = await failureOf(other.serviceNames({ index: 1n, waitMs: 1_000 }, signal));
    expect(failure.code).to.equal('CONSUL_UNREACHABLE');
  });

  it('goes over a Unix socket', async () => {
    const path = join(confDir, 'consul.sock');
    const server = createServer(answering('Content-Length: 2', '{}'));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const client = await open(`unix://${path}`);
    expect((await client.serviceNames(NOW, signal)).content).to.deep.equal({});
    client.close();
    for (const socket of sockets) socket.destroy();
  });

  it('takes the next agent when one does not answer, and stays with it', async () => {
    const consul = await ConsulServer.start();
    const client = await open(`127.0.0.1:1`, { address: ['127.0.0.1:1', consul.url] });
    await failureOf(client.leader(signal));
    expect(await client.leader(signal)).to.equal('127.0.0.1:8300');
    expect(client.origin).to.equal(consul.url);
    await consul.close();
  });

  it('reads a token again from its file when Consul refuses it, and shows it to nobody', async () => {
    const consul = await ConsulServer.start({ acl: { rootToken: 'new-token' } });
    await writeFile(join(confDir, 'token'), 'old-token\n');
    const client = await open(consul.url, { tokenFile: 'token' });
    const failure = await failureOf(client.serviceNames(NOW, signal));
    expect(failure.code).to.equal('CONSUL_DENIED');
    expect(failure.message).not.to.contain('old-token');
    await writeFile(join(confDir, 'token'), 'new-token\n');
    await client.serviceNames(NOW, signal);
    await consul.close();
  });

  it('sends user and password for a gateway', async () => {
    let head = '';
    const address = await listen((socket) => {
      socket.on('data', (data) => {
        head += String(data);
        socket.write('HTTP/1.1 200 OK\r\nX-Consul-Index: 1\r\nContent-Length: 2\r\n\r\n{}');
      });
    });
    await (await open(address, { httpAuth: 'me:pw' })).serviceNames(NOW, signal);
    expect(head.toLowerCase()).to.contain(
      `authorization: basic ${Buffer.from('me:pw').toString('base64')}`.toLowerCase(),
    );
  });

  it('checks the certificate of the agent, unless it is told not to, and knows its own authority', async () => {
    const { cert, key } = makeSelfSigned('consul.test');
    const server = createSecureServer({ cert, key }, (_, answer) => {
      answer.setHeader('x-consul-index', '1');
      answer.end('{}');
    });
    servers.push({ close: (done) => (server.closeAllConnections(), server.close(done)) });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await writeFile(join(confDir, 'ca.pem'), cert);
    const failure = await failureOf((await open(address)).serviceNames(NOW, signal));
    expect(failure.message).to.match(
      /(SELF_SIGNED|DEPTH_ZERO|ERR_TLS).*servicecomb\.registry\.consul\.(caFile|serverName)/,
    );
    const trusting: readonly Partial<ConnectionOptions>[] = [
      { verifyPeer: false },
      { caFile: 'ca.pem', serverName: 'localhost' },
      { caPath: '.', serverName: 'localhost' },
    ];
    for (const options of trusting) {
      const client = await open(address, options);
      expect((await client.serviceNames(NOW, signal)).content, JSON.stringify(options)).to.deep.equal({});
    }
    await writeFile(join(confDir, 'renewed.pem'), makeSelfSigned('another').cert);
    const client = await open(address, { caFile: 'renewed.pem', tlsReload: 5 });
    await failureOf(client.serviceNames(NOW, signal));
    await writeFile(join(confDir, 'renewed.pem'), cert);
    let answer: unknown;
    while (answer === undefined) answer = await client.serviceNames(NOW, signal).catch(() => undefined);
  });
});
