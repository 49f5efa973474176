import { expect } from 'chai';
import { eventually } from './support/eventually.js';
import { RawConversation } from './support/raw-conversation.js';
import type { SpawnedProcess } from './support/spawned-process.js';
import { ADDRESSES, FAMILIES, useTransparentScene, USUAL_WAY, type Way } from './support/transparent-scene.js';
import type { TransparentSidecar } from './support/transparent-sidecar.js';

const WAYS: readonly Way[] = [USUAL_WAY, { backend: 'nft', inbound: 'TPROXY' }];
/** Networks behind the router: one that swallows everything, and one that it says it does not know. */
const SWALLOWED = { ipv4: '10.77.8.1', ipv6: 'fd77:8::1' };
const UNKNOWN = { ipv4: '10.77.9.1', ipv6: 'fd77:9::1' };

describe('connections that fail between two transparent sidecars', () => {
  const scene = useTransparentScene();
  let app: SpawnedProcess;
  let near: TransparentSidecar, far: TransparentSidecar;

  before(async () => {
    app = await scene().startApp('far');
    const { router } = scene().hosts;
    await router.must('ip', ['route', 'add', 'blackhole', '10.77.8.0/24']);
    await router.must('ip', ['-6', 'route', 'add', 'blackhole', 'fd77:8::/64']);
    await router.must('ip', ['route', 'add', 'unreachable', '10.77.9.0/24']);
    await router.must('ip', ['-6', 'route', 'add', 'unreachable', 'fd77:9::/64']);
  });

  for (const way of WAYS) {
    describe(`with ${way.backend}, ${way.inbound} inbound`, () => {
      before(async () => {
        const mesher = { 'mesher.proxy.connectTimeout': '300ms', 'mesher.proxy.tunnelIdleTimeout': '2s' };
        [near, far] = await scene().bothSidecars(way, { mesher });
      });

      for (const family of FAMILIES) {
        it(`ends and resets of either side are seen by the other as what they are, over ${family}`, async () => {
          const address = ADDRESSES.far[family];
          const start = (): Promise<RawConversation> => RawConversation.start(scene().near, address, 9001);

          const resetByServer = await start();
          resetByServer.say('send reset');
          expect(await resetByServer.events()).to.deep.equal(['connected', 'got hello', 'ECONNRESET', 'closed']);

          const resetByClient = await start();
          const seenReset = app.untilPrinted(/^9001 ECONNRESET$/m, 'now');
          resetByClient.say('reset');
          await seenReset;

          const endedByClient = await start();
          const seenEnd = app.untilPrinted(/^9001 ended$/m, 'now');
          endedByClient.say('end');
          expect(await endedByClient.events()).to.deep.equal(['connected', 'got hello', 'ended', 'closed']);
          await seenEnd;

          const endedByServer = await start();
          const seenLater = app.untilPrinted(/^9001 got more\n9001 ended$/m, 'now');
          endedByServer.say('send end');
          await endedByServer.client.untilPrinted(/^ended$/m);
          // Its own half is open still.
          endedByServer.say('send more');
          endedByServer.say('end');
          expect(await endedByServer.events()).to.deep.equal([
            'connected',
            'got hello',
            'got ending',
            'ended',
            'closed',
          ]);
          await seenLater;
        });

        it(`a refused, unreachable or swallowed connection is a reset, and not for ever, over ${family}`, async () => {
          const failed = await near.metric('mesher_upstream_connect_failures_total');
          const farFailed = await far.metric('mesher_upstream_connect_failures_total');
          for (const [address, port] of [
            [ADDRESSES.far[family], 4444],
            [UNKNOWN[family], 80],
            [SWALLOWED[family], 80],
          ] as const) {
            const events = await RawConversation.begin(scene().near, address, port).events();
            expect(events.slice(-2), address).to.deep.equal(['ECONNRESET', 'closed']);
          }
          // What the far application refuses, its own sidecar has found out, and has passed on as a reset.
          expect(await far.metric('mesher_upstream_connect_failures_total')).to.equal(farFailed + 1);
          // Its reset may be there before the near sidecar knows that it is connected, which makes that a failed connect, too.
          const nearFailed = await near.metric('mesher_upstream_connect_failures_total');
          expect(nearFailed - failed).to.be.within(2, 3);
          const address = SWALLOWED[family];
          expect(near.process.output).to.match(new RegExp(`connect to \\[?${address}\\]?:80 took longer than 300 ms`));
        });

        it(`a connection whose other end has vanished is ended after its idle time, over ${family}`, async () => {
          const conversation = await RawConversation.start(scene().near, ADDRESSES.far[family], 9001);
          const { router } = scene().hosts;
          const flag = family === 'ipv6' ? ['-6'] : [];
          const host = `${ADDRESSES.far[family]}/${family === 'ipv6' ? 128 : 32}`;
          const back = `${ADDRESSES.near[family]}/${family === 'ipv6' ? 128 : 32}`;
          for (const to of [host, back]) await router.must('ip', [...flag, 'route', 'add', 'blackhole', to]);
          try {
            expect((await conversation.events()).slice(-2)).to.deep.equal(['ECONNRESET', 'closed']);
            for (const sidecar of [near, far]) {
              await eventually(
                'no connection is left',
                async () => (await sidecar.metric('mesher_upstream_connections_open')) === 0,
              );
            }
          } finally {
            for (const to of [host, back]) await router.must('ip', [...flag, 'route', 'del', 'blackhole', to]);
          }
        });
      }
    });
  }
});
