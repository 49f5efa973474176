import { skipBecause } from '@mesher/core/testing';
import { expect } from 'chai';
import { freePort, listen, targetOf, tcpServer } from '../testing/local-servers.js';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { TCP_CHECKER, resultOf } from './tcp-checker.js';

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

  it('does not take a connection of the system with itself for one with the application', async function () {
    const port = await freePort();
    const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.1', localPort: port });
    const came = await once(socket, 'connect').catch(() => undefined);
    if (came === undefined) skipBecause(this, 'this system does not connect a socket with itself');
    expect(resultOf(socket)).to.include({ healthy: false, refused: true });
    socket.destroy();
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
