import { expect } from 'chai';
import { assert, array, boolean, constantFrom, integer, oneof, property, record, subarray, tuple } from 'fast-check';
import { ownRulesIn, replacementText } from '../applying/saved-rules.js';
import { parseCidr, contains } from '../settings/cidr.js';
import type { InterceptOptions } from '../settings/intercept-options.js';
import { hasPort, mergePorts, type PortRange, type PortSet } from '../settings/port-set.js';
import { optionsOf } from '../testing/options-of.js';
import { walk, type Packet } from '../testing/packet-walk.js';
import { CHAIN_PREFIX, TABLES, type Action, type Family } from './plan.js';
import { planInterception } from './planner.js';
import { renderIptables } from './render-iptables.js';

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
/** The longest name of a chain that iptables takes. */
const LONGEST_CHAIN = 28;
const PORTS = [22, 53, 80, 443, 8080, 8085, 9000, 14956, 30101];
const NETWORKS = ['10.0.0.0/8', '10.1.0.0/16', '192.168.7.7/32', 'fd00::/8', 'fd00:1::/32'].map(parseCidr);
const ADDRESSES = ['10.1.2.3', '10.2.2.2', '192.168.7.7', '8.8.8.8', 'fd00:1::5', 'fd77::1', '2001:db8::7'];
const IDS = [0, 1000, 1337, 2102, 5000];

const portRanges = array(
  tuple(constantFrom(...PORTS), integer({ min: 0, max: 10 })).map(([first, more]): PortRange => ({
    first,
    last: first + more,
  })),
  { maxLength: 20 },
).map((ranges) => mergePorts(ranges));
const portSet = oneof(constantFrom<PortSet>('*'), portRanges);
const networkSet = oneof(constantFrom('*' as const), subarray(NETWORKS));
const direction = record({
  ports: portSet,
  excludePorts: portRanges,
  cidrs: networkSet,
  excludeCidrs: subarray(NETWORKS),
  probability: constantFrom(0, 0.5, 1),
});
const someOptions = record({
  mode: constantFrom('redirect' as const, 'tproxy' as const),
  exempt: record({ uids: subarray([1337, 2102], { minLength: 1 }), gids: subarray([1337, 5000]) }),
  inbound: direction,
  outbound: direction,
  alwaysPorts: portRanges,
  ownAddress: constantFrom('intercept' as const, 'direct' as const),
  ownerGroups: oneof(constantFrom('*' as const), subarray([1000, 5000], { minLength: 1 })),
  excludeOwnerGroups: subarray([1000]),
  excludeInterfaces: subarray(['eth1']),
  capture: constantFrom('off' as const, 'servers' as const, 'all' as const),
  dropInvalid: boolean(),
  keepSource: boolean(),
}).map(({ alwaysPorts, ownAddress, ownerGroups, excludeOwnerGroups, capture, ...given }): InterceptOptions => {
  const base = optionsOf();
  return {
    ...base,
    ...given,
    keepSource: given.keepSource && given.mode === 'tproxy',
    outbound: { ...base.outbound, ...given.outbound, alwaysPorts, ownAddress, ownerGroups, excludeOwnerGroups },
    dns: { ...base.dns, capture, servers: ['8.8.8.8', '2001:db8::7'] },
  };
});

const somePacket = record({
  source: constantFrom(...ADDRESSES),
  destination: constantFrom(...ADDRESSES),
  port: constantFrom(...PORTS),
  sourcePort: constantFrom(40_000),
  protocol: constantFrom('tcp' as const, 'udp' as const),
  device: constantFrom('eth0', 'eth1', 'lo'),
  uid: constantFrom(...IDS),
  gid: constantFrom(...IDS),
}).filter(({ source, destination }) => source.includes(':') === destination.includes(':'));

type SomePacket = Omit<Packet, 'family'> & { readonly device: string };

const familyOf = ({ destination }: { readonly destination: string }): Family =>
  destination.includes(':') ? 'ipv6' : 'ipv4';
const sent = ({ device, ...packet }: SomePacket): Packet => ({
  ...packet,
  family: familyOf(packet),
  outInterface: device,
});
/** Nobody here has sent it. */
const received = ({ device, ...packet }: SomePacket): Packet => ({
  ...packet,
  uid: -1,
  gid: -1,
  family: familyOf(packet),
  inInterface: device,
});
const isToSidecar = (action: Action | undefined): boolean => action?.kind === 'redirect' || action?.kind === 'tproxy';

describe('every plan', () => {
  it('leaves the sidecar alone: nothing that its user or group sends comes back to it', () => {
    assert(
      property(someOptions, somePacket, (options, packet) => {
        const plan = planInterception(options, FAMILIES);
        const [uid = 0] = options.exempt.uids;
        expect(isToSidecar(walk(plan, 'nat', 'OUTPUT', { ...sent(packet), uid }))).to.equal(false);
        for (const gid of options.exempt.gids) {
          expect(isToSidecar(walk(plan, 'nat', 'OUTPUT', { ...sent(packet), gid }))).to.equal(false);
        }
      }),
    );
  });

  it('leaves loopback alone, and what comes over loopback', () => {
    assert(
      property(
        someOptions,
        somePacket,
        constantFrom('127.0.0.1', '127.0.0.53', '::1'),
        (options, packet, destination) => {
          const plan = planInterception(options, FAMILIES);
          const local = sent({
            ...packet,
            protocol: 'tcp',
            port: 8080,
            destination,
            source: destination,
            device: 'lo',
          });
          expect(isToSidecar(walk(plan, 'nat', 'OUTPUT', local))).to.equal(false);
          const { outInterface: inInterface, ...arriving } = local;
          expect(isToSidecar(walk(plan, 'mangle', 'PREROUTING', { ...arriving, inInterface }))).to.equal(false);
        },
      ),
    );
  });

  it('takes an outbound connection exactly when ports, networks, groups and interfaces say so', () => {
    assert(
      property(someOptions, somePacket, (options, packet) => {
        const plan = planInterception(options, FAMILIES);
        const tcp: SomePacket = { ...packet, protocol: 'tcp' };
        const isQuestion = options.dns.capture !== 'off' && packet.port === 53;
        if (isQuestion) return;
        expect(isToSidecar(walk(plan, 'nat', 'OUTPUT', sent(tcp)))).to.equal(isOutbound(options, tcp));
      }),
      { numRuns: 300 },
    );
  });

  it('takes an inbound connection exactly when ports, networks and interfaces say so, and none to a port of Mesher', () => {
    assert(
      property(someOptions, somePacket, (options, packet) => {
        const plan = planInterception(options, FAMILIES);
        const table = options.mode === 'tproxy' ? 'mangle' : 'nat';
        const tcp: SomePacket = { ...packet, protocol: 'tcp' };
        expect(isToSidecar(walk(plan, table, 'PREROUTING', received(tcp)))).to.equal(isInbound(options, tcp));
      }),
      { numRuns: 300 },
    );
  });

  it('takes a question to a name server exactly when it is to be captured', () => {
    assert(
      property(someOptions, somePacket, (options, packet) => {
        const plan = planInterception(options, FAMILIES);
        const question: SomePacket = { ...packet, protocol: 'udp', port: 53 };
        const isOurs =
          options.dns.capture === 'all' ||
          (options.dns.capture === 'servers' && options.dns.servers.includes(packet.destination));
        const isLeft =
          isSidecar(options, packet) ||
          options.excludeInterfaces.includes(packet.device) ||
          hasPort(options.outbound.excludePorts, 53);
        expect(isToSidecar(walk(plan, 'nat', 'OUTPUT', sent(question)))).to.equal(isOurs && !isLeft);
      }),
    );
  });

  it('can be told from the rules of others, so that cleanup finds all of it, and comparing it with itself finds nothing', () => {
    assert(
      property(someOptions, (options) => {
        const plan = planInterception(options, FAMILIES);
        for (const family of FAMILIES) {
          const own = ownRulesIn(renderIptables(plan, family));
          const found = [...own.values()].reduce((sum, { rules }) => sum + rules.length, 0);
          expect(found).to.equal(plan.rules.filter((rule) => rule.family === family).length);
          expect(replacementText(own, own)).to.equal('');
        }
      }),
    );
  });

  it('keeps to what iptables takes: 15 places for ports, 28 characters for a chain, jumps to chains that have rules', () => {
    assert(
      property(someOptions, (options) => {
        for (const { chain, match, action, reason, family, table } of planInterception(options, FAMILIES).rules) {
          const places = (match.ports ?? []).reduce((sum, { first, last }) => sum + (first === last ? 1 : 2), 0);
          expect(places).to.be.at.most(15);
          expect(chain.length).to.be.at.most(LONGEST_CHAIN);
          expect(reason).to.match(/^[a-z]+(?:-[a-z]+)*$/);
          expect(TABLES).to.include(table);
          if (action.kind !== 'jump') continue;
          expect(action.chain.startsWith(CHAIN_PREFIX)).to.equal(true);
          const targets = planInterception(options, [family]).rules.filter((rule) => rule.chain === action.chain);
          expect(targets).to.not.deep.equal([]);
        }
      }),
      { numRuns: 30 },
    );
  });
});

function isSidecar({ exempt }: InterceptOptions, { uid = -1, gid = -1 }: SomePacket): boolean {
  return exempt.uids.includes(uid) || exempt.gids.includes(gid);
}

function isIn(cidrs: InterceptOptions['inbound']['cidrs'], address: string): boolean {
  return cidrs === '*' || cidrs.some((cidr) => contains(cidr, address));
}

function isOutbound(options: InterceptOptions, packet: SomePacket): boolean {
  const { outbound, ownPorts, excludeInterfaces } = options;
  const { port, destination, device, gid = -1 } = packet;
  if (outbound.probability === 0 || isSidecar(options, packet) || excludeInterfaces.includes(device)) return false;
  if (device === 'lo' && (outbound.ownAddress === 'direct' || hasPort(ownPorts, port))) return false;
  if (outbound.excludeOwnerGroups.includes(gid)) return false;
  if (outbound.ownerGroups !== '*' && !outbound.ownerGroups.includes(gid)) return false;
  if (hasPort(outbound.excludePorts, port) || isIn(outbound.excludeCidrs, destination)) return false;
  return hasPort(outbound.alwaysPorts, port) || (isIn(outbound.cidrs, destination) && hasPort(outbound.ports, port));
}

function isInbound({ mode, inbound, ownPorts, excludeInterfaces }: InterceptOptions, packet: SomePacket): boolean {
  const { port, source, device } = packet;
  if (inbound.probability === 0 || excludeInterfaces.includes(device)) return false;
  if (mode === 'tproxy' && device === 'lo') return false;
  if (hasPort(ownPorts, port) || hasPort(inbound.excludePorts, port) || isIn(inbound.excludeCidrs, source))
    return false;
  return hasPort(inbound.ports, port) && isIn(inbound.cidrs, source);
}
