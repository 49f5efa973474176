import { Endpoint, Rejection, type CallHandler } from '@mesher/core';
import { expect } from 'chai';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import type { ProxyHarness, RawUpstream } from '../testing/proxy-harness.js';
import { until, useProxyRig } from '../testing/proxy-rig.js';
import type { ConnectionWatcher } from './connection-watcher.js';
import type { OriginalDestination, TransparentRoute } from './transparent-spec.js';

/** Takes down what it is told. */
class Notes implements ConnectionWatcher {
  readonly lines: string[] = [];

  readonly begun: ConnectionWatcher['begun'] = (_, direction, { address }) => {
    this.lines.push(`begun ${direction} ${address}`);
    return {
      decided: (protocol, verdict) => void this.lines.push(`decided ${protocol} ${verdict}`),
      named: (host) => void this.lines.push(`named ${host}`),
      refused: (message) => void this.lines.push(`refused ${message}`),
      ended: (code, aborted) => void this.lines.push(`ended ${code ?? 'well'} ${aborted}`),
    };
  };

  readonly turnedAway: ConnectionWatcher['turnedAway'] = (_, verdict) => void this.lines.push(`turned away ${verdict}`);
}

async function callInVain({ port }: ProxyHarness): Promise<void> {
  const client = connectPlain(port, '127.0.0.1').on('error', () => undefined);
  // Not once() of node:events, which rejects on a reset.
  await new Promise((resolve) => client.once('close', resolve));
}

describe('a watcher of intercepted connections', () => {
  const rig = useProxyRig();
  let upstream: RawUpstream;
  let notes: Notes;

  async function listen(
    further: (handler: CallHandler) => Partial<TransparentRoute> = () => ({}),
    found: OriginalDestination = { kind: 'intercepted', address: '192.0.2.1', port: 80 },
  ): Promise<ProxyHarness> {
    upstream = await rig().upstream();
    notes = new Notes();
    return await rig().proxy({
      upstreamPort: upstream.port,
      transparent: (handler) => ({
        find: () => found,
        isOwnAddress: () => false,
        opaquePorts: new Set(),
        httpPorts: new Set(),
        watcher: notes,
        route: () => {
          const forward = { ...handler, begin: () => new Endpoint('127.0.0.1', upstream.port) };
          return { handler: forward, verdict: 'passed', ...further(forward) };
        },
      }),
    });
  }

  it('is told what a connection speaks, whom its client names, and how it ends', async () => {
    const client = await rig().send(await listen(), 'GET / HTTP/1.1\r\nHost: Orders:80\r\n\r\n');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.end();
    client.end();
    await until(() => notes.lines.length > 3);
    expect(notes.lines).to.deep.equal([
      'begun outbound 192.0.2.1',
      'decided http1 passed',
      'named orders',
      'ended well false',
    ]);
  });

  it('sees the server that a TLS client asks for, where nobody else looks at it', async () => {
    const { port } = await listen();
    const client = connect({ host: '127.0.0.1', port, servername: 'shop.example', rejectUnauthorized: false });
    client.on('error', () => undefined);
    await (await upstream.awaitConnection()).awaitLength(6);
    expect(notes.lines).to.deep.equal(['begun outbound 192.0.2.1', 'decided tls passed', 'named shop.example']);
    client.destroy();
  });

  it('is not needed for a call to be counted for the service that a TLS client asks for', async () => {
    const recognised: string[] = [];
    const { port } = await listen(() => ({
      recognise: ({ protocol }, host) => void recognised.push(`${protocol} ${host}`),
    }));
    const client = connect({ host: '127.0.0.1', port, servername: 'orders', rejectUnauthorized: false });
    client.on('error', () => undefined);
    await (await upstream.awaitConnection()).awaitLength(6);
    expect(recognised).to.deep.equal(['tcp orders']);
    client.destroy();
  });

  it('is told once of a connection that goes on with another target', async () => {
    const proxy = await listen((handler) => ({
      byName: (host) => (host === 'orders' ? { handler, verdict: 'mesh' } : undefined),
    }));
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: orders\r\n\r\n');
    await upstream.awaitConnection(2);
    expect(notes.lines).to.deep.equal(['begun outbound 192.0.2.1', 'named orders', 'decided http1 mesh']);
    client.destroy();
  });

  it('is told why nothing could be dialled, and of connections that are passed on to nobody', async () => {
    const refusal = new Rejection('MESH_ERR_DENIED', 'nobody may go there');
    const handler = {
      direction: 'outbound',
      begin: () => refusal,
      again: () => refusal,
      connected: () => undefined,
      end: () => undefined,
    } as const;
    await callInVain(await listen(() => ({ handler })));
    await until(() => notes.lines.length > 3);
    expect(notes.lines.slice(1)).to.have.members([
      'refused nobody may go there',
      'ended MESH_ERR_DENIED false',
      'decided unknown passed',
    ]);
    await callInVain(await listen(undefined, { kind: 'own-listener', address: '127.0.0.1', port: 1 }));
    await until(() => notes.lines.length > 0);
    expect(notes.lines).to.deep.equal(['turned away loop']);
  });
});
