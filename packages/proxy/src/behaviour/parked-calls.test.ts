import type { CallHandler, Invocation, Verdict } from '@mesher/core';
import { expect } from 'chai';
import { answerEach, answerOf, type ProxyHarness, type RawPeer, type RawUpstream } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';
import type { ProxyOptions } from '../options.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Where a call may have to wait for a decision. */
const PLACES = ['begin', 'again'] as const;

interface Parked {
  readonly client: RawPeer;
  readonly proxy: ProxyHarness;
  readonly upstream: RawUpstream;
  decide(verdict: Verdict): void;
}

describe('a call that waits for a decision', () => {
  const rig = useProxyRig();

  async function parked(place: (typeof PLACES)[number], options: Partial<ProxyOptions> = {}): Promise<Parked> {
    let decide: (verdict: Verdict) => void = () => {};
    let waiting = false;
    const wait = (): Promise<Verdict> => {
      waiting = true;
      return new Promise((resolve) => (decide = resolve));
    };
    const handler: Partial<CallHandler> = place === 'begin' ? { begin: wait } : { again: wait };
    const { upstream, proxy } = await rig().pair(
      (peer, index) => {
        if (place === 'again' && index === 0) peer.socket.once('data', () => peer.reset());
        else answerEach(peer, () => answerOf('done'));
      },
      {
        options,
        handler: {
          end: (call: Invocation) => {
            // What OutboundHandler does; policies look at it when their wait is over.
            call.ended = true;
          },
          ...handler,
        },
      },
    );
    const client = await rig().send(proxy, GET + GET);
    await until(() => waiting);
    return { client, proxy, upstream, decide: (verdict) => decide(verdict) };
  }

  for (const place of PLACES) {
    for (const [how, leave] of [
      ['resets its connection', (client: RawPeer) => client.reset()],
      ['closes its connection', (client: RawPeer) => client.destroy()],
    ] as const) {
      it(`(${place}) ends when its client ${how}, also with requests behind it; the decision is for nobody then`, async () => {
        const { client, proxy, upstream, decide } = await parked(place);
        const before = upstream.connections.length;
        leave(client);
        await settleSockets();
        rig().time.advance(1000);
        await proxy.awaitOutcomes(1);
        const [call] = [...proxy.ends.keys()];
        expect(call.ended).to.equal(true);
        expect(proxy.outcomes[0]).to.include({ aborted: true, status: 0 });
        decide(proxy.endpoint);
        await settleSockets();
        expect(upstream.connections).to.have.lengthOf(before);
        expect(proxy.ends.size, 'requests behind it are not begun').to.equal(1);
        expect(proxy.proxy.stats).to.include({ clientAborts: 1, connectionsOpen: 0, upstreamOpen: 0 });
      });
    }

    it(`(${place}) counts against maxDownstreamConnections`, async () => {
      const { client, proxy, decide } = await parked(place, { maxDownstreamConnections: 1 });
      const refused = await rig().connect(proxy);
      await refused.awaitEnd();
      expect(proxy.proxy.stats).to.include({ connectionsRefused: 1, connectionsOpen: 1 });
      decide(proxy.endpoint);
      await client.readUntil('done');
    });
  }
});
