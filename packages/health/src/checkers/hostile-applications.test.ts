import { expect } from 'chai';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { compilePattern, type HealthChecker, type HealthResult } from '@mesher/core';
import { httpServer, targetOf, tcpServer } from '../testing/local-servers.js';
import { GRPC_CHECKER } from './grpc-checker.js';
import { RestChecker } from './rest-checker.js';
import { TCP_CHECKER } from './tcp-checker.js';

const NEVER = new AbortController().signal;
const MEGABYTE = 1 << 20;
const checkers: Readonly<Record<string, HealthChecker>> = { rest: new RestChecker(), grpc: GRPC_CHECKER };

/** Asks an application that does `onSocket` with a connection. @returns what came of it, and the sockets that it got */
async function ask(
  checker: HealthChecker | undefined,
  onSocket: (socket: Socket) => void,
  signal = NEVER,
): Promise<HealthResult> {
  const server = await tcpServer(onSocket);
  try {
    return await (checker ?? TCP_CHECKER).check(targetOf(server.port), signal);
  } finally {
    await server.close();
  }
}

/** Checks over HTTP for a body, with the answer as raw bytes. */
async function askForBody(answer: Buffer, maxBody = 65_536): Promise<HealthResult> {
  const server = await tcpServer((socket) => socket.once('data', () => socket.end(answer)));
  try {
    const match = { body: compilePattern('ok'), maxBody };
    return await new RestChecker().check(targetOf(server.port, { match }), NEVER);
  } finally {
    await server.close();
  }
}

describe('an application that is checked', () => {
  for (const [protocol, checker] of Object.entries(checkers)) {
    it(`by ${protocol} and sends its answer byte by byte, for ever, is given up with its connection closed`, async () => {
      const stop = new AbortController();
      let closed!: Promise<unknown>;
      const result = await ask(
        checker,
        (socket) => {
          closed = new Promise((resolve) => socket.once('close', resolve));
          let sent = 0;
          const drip = (): void => {
            if (socket.destroyed) return;
            if (++sent === 20) stop.abort();
            socket.write(sent === 1 ? 'HTTP/1.1 200 OK\r\nx: ' : 'y', () => setImmediate(drip));
          };
          socket.resume();
          drip();
        },
        stop.signal,
      );
      expect(result.healthy).to.equal(false);
      await closed;
    });

    it(`by ${protocol} and takes the connection but says nothing is given up with its connection closed`, async () => {
      const stop = new AbortController();
      let closed!: Promise<unknown>;
      const result = await ask(
        checker,
        (socket) => {
          closed = new Promise((resolve) => socket.once('close', resolve));
          socket.resume().once('data', () => stop.abort());
        },
        stop.signal,
      );
      expect(result.healthy).to.equal(false);
      await closed;
    });

    it(`by ${protocol} and sends megabytes of header fields has failed`, async () => {
      const result = await ask(checker, (socket) => {
        socket.resume();
        socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(2 * MEGABYTE)}\r\n\r\n`);
      });
      expect(result.healthy).to.equal(false);
    });

    it(`by ${protocol} and resets every connection has failed`, async () => {
      expect((await ask(checker, (socket) => socket.resetAndDestroy())).healthy).to.equal(false);
    });
  }

  it('by rest and sends a status that is none, or garbage, has failed', async () => {
    for (const answer of ['HTTP/1.1 20 OK\r\n\r\n', 'HTTP/9.9 200\r\n\r\n', '\u0000\u0001\u0002', '']) {
      const result = await ask(new RestChecker(), (socket) => socket.once('data', () => socket.end(answer)));
      expect(result.healthy, answer).to.equal(false);
    }
  });

  it('by rest and announces a body that never comes is well when only the status counts', async () => {
    const result = await ask(new RestChecker(), (socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n')),
    );
    expect(result).to.deep.equal({ healthy: true, detail: 'status 200' });
  });

  it('by rest and answers with a compressed body is read as it was meant, up to the limit', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n';
    const packed = (text: string): Buffer => Buffer.concat([Buffer.from(head), gzipSync(text)]);
    expect((await askForBody(packed('all is ok'))).healthy).to.equal(true);
    // 16 MB in 16 KB: it is unpacked as far as it is looked at.
    expect((await askForBody(packed(`${'x'.repeat(16 * MEGABYTE)}ok`))).healthy).to.equal(false);
    expect((await askForBody(Buffer.from(`${head}this is not gzip`))).healthy).to.equal(false);
  });

  it('by rest and ends each of 200 checks in another phase leaves no connection behind', async () => {
    let open = 0;
    const server = await httpServer((_request, response) => {
      response.writeHead(200, { 'content-length': 100_000 }).write('ok'.repeat(1_000));
    });
    const counter = await tcpServer((socket) => {
      open++;
      socket.once('close', () => open--);
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok'));
    });
    const checker = new RestChecker();
    for (let i = 0; i < 100; i++) await checker.check(targetOf(server.port), NEVER);
    const match = { body: compilePattern('ok'), maxBody: 2 };
    for (let i = 0; i < 100; i++) {
      expect((await checker.check(targetOf(counter.port, { match }), NEVER)).healthy).to.equal(true);
    }
    // The last sockets close in a later turn.
    while (open > 0) await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([server.close(), counter.close()]);
  });
});
