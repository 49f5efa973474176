import { expect } from 'chai';
import { APPLICATION, askOverUdp, callAll, intercept, startAnswering, summary } from './support/intercepted-calls.js';
import { ADDRESSES, requireNetworkNamespaces, TwoHosts } from './support/network-namespaces.js';

const DNS_PORT = 15053;
const FAR = [ADDRESSES.far.ipv4, ADDRESSES.far.ipv6];
const SIDECAR = { uid: 1337, gid: 1337 };

for (const backend of ['iptables-nft', 'iptables-legacy', 'nft']) {
  describe(`questions to name servers, captured with ${backend}`, () => {
    let hosts: TwoHosts;

    before(async function () {
      requireNetworkNamespaces(this, backend);
      hosts = await TwoHosts.create();
      await startAnswering(hosts.near, { udp: [DNS_PORT], servers: [DNS_PORT] }, { uid: 0, gid: 1337 });
      await startAnswering(hosts.far, { udp: [53], servers: [53] });
    });

    after(async () => {
      await hosts?.close();
    });

    async function apply(...args: readonly string[]): Promise<void> {
      const given = ['apply', '--backend', backend, '--outbound-probability', '0', '--inbound-probability', '0'];
      const { code, stderr } = await intercept(hosts.near, [...given, ...args]);
      expect([code, stderr]).to.deep.equal([0, '']);
    }

    it('come to the sidecar, whose own reach the server, over UDP and TCP', async () => {
      await apply('--capture-all-dns');
      for (const server of FAR) {
        expect(await askOverUdp(hosts.near, server, APPLICATION)).to.equal(DNS_PORT);
        expect(await askOverUdp(hosts.near, server, SIDECAR)).to.equal(53);
        const [answer] = await callAll(hosts.near, [[server, 53]]);
        expect([answer?.by, answer?.to]).to.satisfy(([, to = '']: string[]) => to.endsWith(`|${DNS_PORT}`));
        const [own] = await callAll(hosts.near, [[server, 53]], SIDECAR);
        expect(own?.to).to.match(/\|53$/);
      }
    });

    it('are left alone when they go to another server than those of the machine', async () => {
      await apply('--redirect-dns', '--dns-servers', `10.9.9.9,${ADDRESSES.far.ipv6}`);
      expect(await askOverUdp(hosts.near, ADDRESSES.far.ipv4)).to.equal(53);
      expect(await askOverUdp(hosts.near, ADDRESSES.far.ipv6)).to.equal(DNS_PORT);
      expect(summary((await callAll(hosts.near, [[ADDRESSES.far.ipv4, 53]]))[0] ?? { by: 'nobody' })).to.equal(
        'server',
      );
    });
  });
}
