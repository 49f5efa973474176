import { expect } from 'chai';
import { createHash, randomBytes } from 'node:crypto';
import { APPLICATION } from '../support/intercepted-calls.js';
import { startPeer } from '../support/peer-server.js';
import { ADDRESSES, FAMILIES, useTransparentScene, USUAL_WAY, type Way } from '../support/transparent-scene.js';
import type { TransparentSidecar } from '../support/transparent-sidecar.js';

/** Opaque by default, and one that is looked at. */
const PORTS = [6379, 16_379] as const;
const WAYS: readonly Way[] = [USUAL_WAY, { backend: 'nft', inbound: 'TPROXY' }];

describe('Redis between two transparent sidecars', () => {
  const scene = useTransparentScene('redis-server', 'redis-cli', 'redis-benchmark');
  let near: TransparentSidecar, far: TransparentSidecar;

  before(async () => {
    for (const port of PORTS) {
      const args = ['--port', String(port), '--bind', '0.0.0.0', '::', '--protected-mode', 'no', '--save', ''];
      await startPeer(scene().far, 'redis-server', args, { port, as: APPLICATION });
    }
  });

  for (const way of WAYS) {
    describe(`with ${way.backend}, ${way.inbound} inbound`, () => {
      before(async () => {
        [near, far] = await scene().bothSidecars(way);
      });

      for (const family of FAMILIES) {
        for (const port of PORTS) {
          const to = ['-h', ADDRESSES.far[family], '-p', String(port)] as const;
          const cli = async (...args: readonly string[]): Promise<string> =>
            await scene().call('redis-cli', ...to, ...args);

          it(`takes pipelines and big values, over ${family} to ${port}`, async () => {
            const commands = Array.from({ length: 5000 }, (_, index) => `SET key:${index} ${index}\r\n`).join('');
            const file = await scene().write('pipeline', commands);
            const piped = await scene().call('sh', '-c', `redis-cli ${to.join(' ')} --pipe < ${file}`);
            expect(piped).to.include('errors: 0, replies: 5000');
            expect(await cli('GET', 'key:4999')).to.equal('4999\n');
            const big = randomBytes(8_000_000);
            const value = await scene().write('value', big);
            expect(await scene().call('sh', '-c', `redis-cli ${to.join(' ')} -x SET big < ${value}`)).to.equal('OK\n');
            const back = await scene().call(
              'sh',
              '-c',
              `redis-cli ${to.join(' ')} GET big | head -c 8000000 | sha256sum`,
            );
            expect(back).to.include(createHash('sha256').update(big).digest('hex'));
          });

          it(`publishes to subscribers, and shows what others do, over ${family} to ${port}`, async () => {
            const as = APPLICATION;
            const subscriber = scene().near.spawn('redis-cli', [...to, 'SUBSCRIBE', 'news'], { as });
            await subscriber.untilPrinted(/^subscribe\nnews\n(\(integer\) )?1$/m);
            const monitor = scene().near.spawn('redis-cli', [...to, 'MONITOR'], { as });
            await monitor.untilPrinted(/^OK$/m);
            expect(await cli('PUBLISH', 'news', 'it-rains')).to.equal('1\n');
            await subscriber.untilPrinted(/^message\nnews\nit-rains$/m);
            await monitor.untilPrinted(/"PUBLISH" "news" "it-rains"/);
            await Promise.all([subscriber.kill(), monitor.kill()]);
          });
        }
      }

      it('takes what redis-benchmark does', async () => {
        const load = ['-n', '4000', '-c', '20', '-P', '4', '-t', 'set,get,lpush', '--csv'];
        const lines = await scene().call('redis-benchmark', '-h', ADDRESSES.far.ipv4, '-p', '16379', ...load);
        expect(lines.match(/^"(SET|GET|LPUSH)","\d/gm)).to.have.lengthOf(3);
      });

      it('is passed without a look on its own port, and told by its bytes elsewhere', async () => {
        for (const sidecar of [near, far]) {
          expect(await sidecar.connections({ protocol: 'opaque', verdict: 'passed' })).to.be.greaterThan(0);
          expect(await sidecar.connections({ protocol: 'tcp', verdict: 'passed' })).to.be.greaterThan(0);
          expect(await sidecar.connections({ protocol: 'http1' })).to.equal(0);
        }
      });
    });
  }
});
