import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runCheck, type RunningCheck } from './check-runner.js';
import type { CheckKind, Status } from './records.js';

const INTERVAL_MS = 10_000;

describe('a check that the Consul agent of tests makes itself', () => {
  let server: Server;
  let address: string;
  let status: number;
  let check: RunningCheck | undefined;
  beforeEach(async () => {
    status = 200;
    server = createServer((_, response) => response.writeHead(status).end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    check?.stop();
    await stopServer();
  });

  async function stopServer(): Promise<void> {
    if (!server.listening) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  /** Starts the check; `look` moves time to its next look and resolves with what it found. */
  function start(kind: CheckKind): { look: () => Promise<Status>; pendingTimers: () => number } {
    const ports = fakePorts();
    let report: (status: Status) => void = () => undefined;
    // The first look is at the beginning, each further one an interval later.
    let next = 1;
    check = runCheck(kind, ports, (found) => report(found));
    return {
      look: () =>
        new Promise<Status>((resolve) => {
          report = resolve;
          ports.time.advance(next);
          next = INTERVAL_MS;
        }),
      pendingTimers: () => ports.time.pendingTimers,
    };
  }

  it('by HTTP takes 2xx for passing, 429 for a warning, and all else for critical', async () => {
    const times = { intervalMs: INTERVAL_MS, timeoutMs: 5_000 };
    const { look } = start({ type: 'http', url: `http://${address}/health`, ...times });
    expect(await look()).to.equal('passing');
    status = 429;
    expect(await look()).to.equal('warning');
    status = 302;
    expect(await look()).to.equal('critical');
    status = 204;
    expect(await look()).to.equal('passing');
    await stopServer();
    expect(await look()).to.equal('critical');
  });

  it('by TCP passes while somebody listens', async () => {
    const { look } = start({ type: 'tcp', address, intervalMs: INTERVAL_MS, timeoutMs: 5_000 });
    expect(await look()).to.equal('passing');
    await stopServer();
    expect(await look()).to.equal('critical');
  });

  it('takes nothing that a client says, and leaves no timer behind', async () => {
    const { look, pendingTimers } = start({ type: 'tcp', address, intervalMs: INTERVAL_MS, timeoutMs: 5_000 });
    await look();
    expect(check?.renew()).to.equal(false);
    check?.stop();
    expect(pendingTimers()).to.equal(0);
  });
});
