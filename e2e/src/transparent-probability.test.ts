import { expect } from 'chai';
import { callAll, startAnswering, type Target } from './support/intercepted-calls.js';
import { requireNetworkNamespaces } from './support/network-namespaces.js';
import { ADDRESSES, useTransparentScene, type Way } from './support/transparent-scene.js';

const CONNECTIONS = 2000;
const SHARE = 0.5;
/** Five standard deviations of a binomial distribution: a correct sidecar is outside once in 1.7 million times. */
const TOLERANCE = 5 * Math.sqrt(CONNECTIONS * SHARE * (1 - SHARE));

const PORT = 7000;

describe('a share of the connections', () => {
  const scene = useTransparentScene();

  before(async () => {
    await startAnswering(scene().far, { servers: [PORT] });
  });

  afterEach(async () => {
    await scene().stopSidecars();
  });

  for (const backend of ['iptables-nft', 'nft'] as const) {
    it(`goes through the sidecars, half of ${CONNECTIONS} each way, and the others are served all the same, with ${backend}`, async function () {
      requireNetworkNamespaces(this, backend);
      const way: Way = { backend, inbound: 'REDIRECT' };
      const share = ['--outbound-probability', String(SHARE), '--inbound-probability', String(SHARE)];
      const [near, far] = await scene().bothSidecars(way, { apply: share });
      const targets = Array.from({ length: CONNECTIONS }, (_, index): Target => [
        index % 2 === 0 ? ADDRESSES.far.ipv4 : ADDRESSES.far.ipv6,
        PORT,
      ]);
      const answers = await callAll(scene().near, targets);
      expect(answers.filter(({ by }) => by !== 'server')).to.deep.equal([]);
      const taken = [
        await near.connections({ direction: 'outbound' }),
        await far.connections({ direction: 'inbound' }),
      ] as const;
      process.stdout.write(`    ${backend}: ${taken[0]} outbound and ${taken[1]} inbound of ${CONNECTIONS}\n`);
      for (const count of taken) expect(count).to.be.closeTo(CONNECTIONS * SHARE, TOLERANCE);
    });
  }
});
