import { skipBecause } from '@mesher/core/testing';
import { expect } from 'chai';
import { freePort, listen, targetOf, tcpServer } from '../testing/local-servers.js';
import { createServer } from 'node:net';
import { TCP_CHECKER } from './tcp-checker.js';

const NEVER = new AbortController().signal;

describe('a check by TCP', () => {
  it('is passed by who accepts a connection, which is closed again', async () => {
    let closed!: () => void;
    const isClosed = new Promise<void>((resolve) => (closed = resolve));
    const server = await tcpServer((socket) => socket.on('data', () => undefined).once('close', closed));
    expect(await TCP_CHECKER.check(targetOf(server.port), NEVER)).to.include({ healthy: true });
    await isClosed;
    await server.close();
  });

  it('says that nobody listens', async () => {
    const result = await TCP_CHECKER.check(targetOf(await freePort()), NEVER);
    expect(result).to.include({ healthy: false, refused: true });
  });

  it('is given up when it is told to', async () => {
    expect(await TCP_CHECKER.check(targetOf(9), AbortSignal.abort())).to.include({ healthy: false });
  });

  it('finds an application on the loopback address of IPv6', async function () {
    const server = await listen(createServer(), '::1').catch(() => undefined);
    if (server === undefined) skipBecause(this, 'this machine has no loopback address of IPv6');
    expect(await TCP_CHECKER.check(targetOf(server.port, { host: '::1' }), NEVER)).to.include({ healthy: true });
    await server.close();
  });
});
