import { expect } from 'chai';
import { connect } from 'node:net';
import type { ProxyHarness, RawPeer, RawUpstream } from '../testing/proxy-harness.js';
import { settleSockets, useProxyRig } from '../testing/proxy-rig.js';

/** This machine, as far as the listener knows. */
const OWN = '192.0.2.1';
const OTHER = '192.0.2.2';
const GRACE_MS = 1_000;

describe('draining a transparent listener', () => {
  const rig = useProxyRig();
  let upstream: RawUpstream;
  let proxy: ProxyHarness;
  let going: string;
  let caller: string;

  beforeEach(async () => {
    caller = OTHER;
    upstream = await rig().upstream();
    proxy = await rig().proxy({
      upstreamPort: upstream.port,
      transparent: (handler) => ({
        find: () => ({ kind: 'intercepted', address: going, port: 80 }),
        // All clients of a test are at 127.0.0.1.
        isOwnAddress: (address) => address === OWN || (address === '127.0.0.1' && caller === OWN),
        opaquePorts: new Set(),
        httpPorts: new Set(),
        route: () => ({ handler, verdict: 'passed' }),
      }),
    });
  });

  /** A connection that is passed on. */
  async function open(to: string): Promise<{ readonly client: RawPeer; readonly peer: RawPeer }> {
    going = to;
    const number = upstream.connections.length + 1;
    const client = await rig().send(proxy, 'hello');
    const peer = await upstream.awaitConnection(number);
    await peer.readUntil('hello');
    return { client, peer };
  }

  /** What a new client sees that is turned away. */
  function turnedAway(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: proxy.port });
      socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
      socket.on('close', () => resolve(undefined));
    });
  }

  async function end({ client, peer }: { readonly client: RawPeer; readonly peer: RawPeer }): Promise<void> {
    client.end();
    peer.end();
    await client.awaitEnd();
    await settleSockets();
  }

  function begin(): () => boolean {
    let isDrained = false;
    void proxy.listener.drain().then(() => (isDrained = true));
    return () => isDrained;
  }

  it('resets what others begin, while their older connections and outbound ones go on', async () => {
    const inbound = await open(OWN);
    const isDrained = begin();
    expect(await turnedAway()).to.equal('ECONNRESET');
    expect(proxy.proxy.stats.transparent.of({ direction: 'inbound', verdict: 'refused' })).to.equal(1);
    caller = OWN;
    const toItself = await open(OWN);
    const outbound = await open(OTHER);
    await end(inbound);
    await end(toItself);
    const later = await open(OTHER);
    await end(outbound);
    await end(later);
    expect(isDrained()).to.equal(false);
    rig().pass(GRACE_MS);
    await settleSockets();
    expect(isDrained()).to.equal(true);
    expect(proxy.listener.openConnections).to.equal(0);
  });

  it('goes on while the application calls again within drainGrace, whoever else tries', async () => {
    const isDrained = begin();
    await settleSockets();
    rig().pass(GRACE_MS / 2);
    await end(await open(OTHER));
    rig().pass(GRACE_MS / 2);
    await settleSockets();
    expect(isDrained()).to.equal(false);
    going = OWN;
    expect(await turnedAway()).to.equal('ECONNRESET');
    rig().pass(GRACE_MS);
    await settleSockets();
    expect(isDrained()).to.equal(true);
  });
});
