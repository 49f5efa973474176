import { expect } from 'chai';
import {
  APPLICATION,
  callAll,
  intercept,
  startAnswering,
  summary,
  TRANSPARENT_PORT,
  type Target,
} from './support/intercepted-calls.js';
import { ADDRESSES, requireNetworkNamespaces, TwoHosts } from './support/network-namespaces.js';

const FAMILIES = ['ipv4', 'ipv6'] as const;
const THROWS = 2000;
/** Five times the deviation of a fair coin. */
const BOUND = 5 * Math.sqrt(THROWS * 0.5 * 0.5);

for (const backend of ['iptables-nft', 'iptables-legacy', 'nft']) {
  describe(`interception by TPROXY with ${backend}, over IPv4 and IPv6`, () => {
    let hosts: TwoHosts;

    before(async function () {
      requireNetworkNamespaces(this, backend);
      hosts = await TwoHosts.create();
      await startAnswering(hosts.near, { servers: [8080, 30102], sidecar: { mode: 'tproxy' } });
      await startAnswering(hosts.far, { servers: [8080] });
    });

    after(async () => {
      await hosts?.close();
    });

    async function apply(...args: readonly string[]): Promise<void> {
      const given = ['apply', '--mode', 'TPROXY', '--backend', backend, ...args];
      const { code, stderr } = await intercept(hosts.near, given);
      expect([code, stderr]).to.deep.equal([0, '']);
    }

    it('brings inbound connections with both addresses as they are, and outbound ones by REDIRECT', async () => {
      await apply();
      for (const family of FAMILIES) {
        const { near, far } = { near: ADDRESSES.near[family], far: ADDRESSES.far[family] };
        const inbound = await callAll(hosts.far, [
          [near, 8080],
          [near, 4],
          [near, 30102],
        ]);
        expect(inbound.map(summary)).to.deep.equal([`sidecar ${near}|8080`, `sidecar ${near}|4`, 'server']);
        expect(inbound[0]?.local).to.match(new RegExp(`${near}$`));
        expect(inbound[0]?.from).to.include(`${far}|`);
        expect((await callAll(hosts.near, [[far, 8080]])).map(summary)).to.deep.equal([`sidecar ${far}|8080`]);
      }
    });

    it('lets the sidecar call the application over loopback and over the own address', async () => {
      await apply();
      const sidecar = { uid: 1337, gid: 1337 };
      for (const address of ['127.0.0.1', '::1', ADDRESSES.near.ipv4, ADDRESSES.near.ipv6]) {
        expect((await callAll(hosts.near, [[address, 8080]], sidecar)).map(summary)).to.deep.equal(['server']);
      }
    });

    it('lets the sidecar know connections to its own listener', async () => {
      await apply();
      const answers = await callAll(hosts.far, [[ADDRESSES.near.ipv4, TRANSPARENT_PORT]]);
      expect(answers.map(summary)).to.deep.equal(['sidecar own-listener']);
    });

    it('lets the sidecar call the application from the address of its caller', async () => {
      const pod = await TwoHosts.create();
      try {
        // The application is another user than the sidecar, or its answers would count as connections of the sidecar.
        await startAnswering(pod.near, { servers: [8080] }, APPLICATION);
        const sidecar = { mode: 'tproxy', keepsSource: true } as const;
        await startAnswering(pod.near, { sidecar }, { uid: 0, gid: 1337 });
        await intercept(pod.near, ['apply', '--mode', 'TPROXY', '--keep-source', '--backend', backend]);
        for (const family of FAMILIES) {
          const [answer] = await callAll(pod.far, [[ADDRESSES.near[family], 8080]]);
          expect([answer?.by, answer?.from]).to.satisfy(
            ([by, from = '']: string[]) => by === 'server' && from.includes(`${ADDRESSES.far[family]}|`),
          );
        }
      } finally {
        await pod.close();
      }
    });

    it('casts the dice once for a connection, not for each of its packets', async () => {
      await apply('--inbound-probability', '0.5');
      const targets = Array.from({ length: THROWS }, (): Target => [ADDRESSES.near.ipv4, 8080]);
      const answers = await callAll(hosts.far, targets);
      expect(answers.filter(({ by }) => by === 'nobody')).to.deep.equal([]);
      const taken = answers.filter(({ by }) => by === 'sidecar').length;
      expect(taken).to.be.within(THROWS / 2 - BOUND, THROWS / 2 + BOUND);
    });
  });
}
