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
const LOOPBACK = { ipv4: '127.0.0.1', ipv6: '::1' } as const;
const NETWORKS = { near: '10.77.1.0/24,fd77:1::/64', far: '10.77.2.0/24,fd77:2::/64' } as const;
const SIDECAR_USER = { uid: 1337, gid: 2000 };
const SIDECAR_GROUP = { uid: 2000, gid: 1337 };
const SERVERS = [8080, 9090, 9091, 30102];
/** Connections of the trial of dice. */
const THROWS = 2000;
/** Five times the deviation of a fair coin: it is missed once in two million runs. */
const BOUND = 5 * Math.sqrt(THROWS * 0.5 * 0.5);
const SIDECAR = 'sidecar';
const SERVER = 'server';

/** What is expected of a call to a port. */
type Expected = Readonly<Record<number, typeof SIDECAR | typeof SERVER>>;

for (const backend of ['iptables-nft', 'iptables-legacy', 'nft']) {
  describe(`interception by REDIRECT with ${backend}, over IPv4 and IPv6`, () => {
    let hosts: TwoHosts;

    before(async function () {
      requireNetworkNamespaces(this, backend);
      hosts = await TwoHosts.create();
      await startAnswering(hosts.near, { servers: SERVERS, sidecar: { mode: 'redirect' } });
      await startAnswering(hosts.far, { servers: SERVERS });
    });

    after(async () => {
      await hosts?.close();
    });

    async function apply(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<void> {
      const { code, stderr } = await intercept(hosts.near, ['apply', '--backend', backend, ...args], { env });
      expect([code, stderr]).to.deep.equal([0, '']);
    }

    /** The application calls the other host. */
    async function outbound(expected: Expected, as = APPLICATION): Promise<void> {
      await expectCalls('near', ADDRESSES.far, expected, as);
    }

    /** The other host calls the application. */
    async function inbound(expected: Expected): Promise<void> {
      await expectCalls('far', ADDRESSES.near, expected);
    }

    /** The application calls an address of its own host. */
    async function local(
      address: Readonly<Record<(typeof FAMILIES)[number], string>>,
      expected: Expected,
    ): Promise<void> {
      await expectCalls('near', address, expected);
    }

    async function expectCalls(
      from: 'near' | 'far',
      to: Readonly<Record<(typeof FAMILIES)[number], string>>,
      expected: Expected,
      as = APPLICATION,
    ): Promise<void> {
      const targets = FAMILIES.flatMap((family) =>
        Object.keys(expected).map((port): Target => [to[family], Number(port)]),
      );
      const answers = await callAll(hosts[from], targets, as);
      expect(answers.map(summary)).to.deep.equal(
        targets.map(([address, port]) => (expected[port] === SERVER ? SERVER : `${SIDECAR} ${address}|${port}`)),
      );
    }

    it('brings connections to the sidecar with where they were going, both ways, even where nobody listens', async () => {
      await outbound({ 8080: SERVER });
      await apply();
      await outbound({ 4: SIDECAR, 8080: SIDECAR, 9090: SIDECAR });
      await inbound({ 8080: SIDECAR });
    });

    it('shows the sidecar the address of the caller', async () => {
      await apply();
      const [answer] = await callAll(hosts.far, [[ADDRESSES.near.ipv4, 8080]]);
      expect(answer?.from).to.match(/^::ffff:10\.77\.2\.2\|\d+$/);
    });

    it('leaves alone the sidecar, by its user or its group, and its own ports', async () => {
      await apply();
      await outbound({ 8080: SERVER }, SIDECAR_USER);
      await outbound({ 8080: SERVER }, SIDECAR_GROUP);
      await outbound({ 8080: SIDECAR }, { uid: 2000, gid: 2001 });
      await inbound({ 30102: SERVER });
      await local(ADDRESSES.near, { 30102: SERVER });
    });

    it('leaves loopback alone, and the own address when told so', async () => {
      await apply();
      await local(LOOPBACK, { 8080: SERVER });
      await local(ADDRESSES.near, { 8080: SIDECAR });
      await apply(['--own-address', 'direct']);
      await local(ADDRESSES.near, { 8080: SERVER });
    });

    it('lets the sidecar know connections to its own listener, which would run in circles', async () => {
      await apply();
      for (const family of FAMILIES) {
        const near: Target = [ADDRESSES.near[family], TRANSPARENT_PORT];
        const answers = await callAll(hosts.near, [near, [LOOPBACK[family], TRANSPARENT_PORT]]);
        answers.push(...(await callAll(hosts.far, [near])));
        expect(answers.map(summary)).to.deep.equal(Array.from({ length: 3 }, () => 'sidecar own-listener'));
      }
    });

    it('excludes ports, networks, callers and interfaces', async () => {
      await apply(['--exclude-outbound-ports', '8080,9090-9091', '--exclude-inbound-ports', '9090']);
      await outbound({ 8080: SERVER, 9091: SERVER, 30102: SIDECAR });
      await inbound({ 9090: SERVER, 9091: SIDECAR });
      await apply(['--exclude-outbound-cidrs', NETWORKS.far]);
      await outbound({ 8080: SERVER });
      await inbound({ 8080: SIDECAR });
      await apply(['--exclude-inbound-cidrs', NETWORKS.far]);
      await outbound({ 8080: SIDECAR });
      await inbound({ 8080: SERVER });
      await apply(['--exclude-interfaces', 'eth0']);
      await outbound({ 8080: SERVER });
      await inbound({ 8080: SERVER });
    });

    it('takes only the ports, networks and groups that are named', async () => {
      await apply(['--outbound-ports', '8080,9090-9091', '--inbound-ports', '8080', '--outbound-cidrs', NETWORKS.far]);
      await outbound({ 8080: SIDECAR, 9091: SIDECAR, 30102: SERVER });
      await inbound({ 8080: SIDECAR, 9090: SERVER });
      await apply(['--outbound-cidrs', '', '--always-outbound-ports', '9090', '--inbound-cidrs', NETWORKS.near]);
      await outbound({ 8080: SERVER, 9090: SIDECAR });
      await inbound({ 8080: SERVER });
      await apply(['--owner-groups', '2000,3000']);
      await outbound({ 8080: SIDECAR });
      await outbound({ 8080: SERVER }, { uid: 2000, gid: 4000 });
    });

    it('takes half of the connections with the probability 0.5, both ways', async () => {
      await apply(['--outbound-probability', '0.5', '--inbound-probability', '0.5']);
      const many = (address: string): Target[] => Array.from({ length: THROWS }, () => [address, 8080]);
      const answers = [
        await callAll(hosts.near, many(ADDRESSES.far.ipv4)),
        await callAll(hosts.far, many(ADDRESSES.near.ipv4)),
      ];
      for (const found of answers) {
        expect(found.filter(({ by }) => by === 'nobody')).to.deep.equal([]);
        expect(found.filter(({ by }) => by === 'sidecar').length).to.be.within(THROWS / 2 - BOUND, THROWS / 2 + BOUND);
      }
    });

    it("takes netramesh's environment as it is", async () => {
      await apply([], {
        NETRA_SIDECAR_PORT: String(TRANSPARENT_PORT),
        NETRA_SIDECAR_USER_ID: '1337',
        NETRA_SIDECAR_GROUP_ID: '1337',
        INBOUND_INTERCEPT_PORTS: '8080,9090',
        OUTBOUND_INTERCEPT_PORTS: '*',
        NETRA_INBOUND_PROBABILITY: '1',
        NETRA_OUTBOUND_PROBABILITY: '1',
      });
      await outbound({ 9091: SIDECAR });
      await inbound({ 8080: SIDECAR, 9091: SERVER });
    });

    it('takes the arguments of istio-init as they are', async () => {
      const injected = ['-p', '14956', '-z', '14956', '-u', '1337', '-m', 'REDIRECT', '-i', '*', '-x', '', '-b', '*'];
      await apply([...injected, '-d', '15090,15021,9090']);
      await outbound({ 8080: SIDECAR });
      await inbound({ 8080: SIDECAR, 9090: SERVER });
    });
  });
}
