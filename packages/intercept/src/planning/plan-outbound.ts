import { parseCidr } from '../settings/cidr.js';
import type { InterceptOptions } from '../settings/intercept-options.js';
import { ChainWriter } from './chain-writer.js';
import type { Action, ChainName, Family, Match, Owner, Rule } from './plan.js';

const OUTBOUND: ChainName = 'MESHER_OUTBOUND';
const SOURCE: ChainName = 'MESHER_SOURCE';
const LOOPBACK = 'lo';
const TCP: Match = { protocol: 'tcp' };

/** Connections that the application makes. They are redirected in either mode: nothing else can change where a local packet goes. */
export function planOutbound(family: Family, options: InterceptOptions): readonly Rule[] {
  const { probability } = options.outbound;
  const chain = new ChainWriter(family, 'nat', OUTBOUND);
  const taken = interceptedOutbound(chain, options);
  if (taken.length === 0 || probability === 0) return [];
  const entry = new ChainWriter(family, 'nat', 'OUTPUT');
  entry.add('outbound', probability < 1 ? { ...TCP, probability } : TCP, { kind: 'jump', chain: OUTBOUND });
  leaveAlone(chain, options);
  return [...entry.rules, ...chain.rules, ...taken];
}

/**
 * The sidecar itself comes first, whatever else is configured: nothing may send its own connections back to it. A rule for each user and
 * group, since a connection of either is one of the sidecar.
 */
export function exemptSidecar(chain: ChainWriter, { exempt }: InterceptOptions): void {
  for (const owner of ownersOf(exempt)) chain.add(`own-${owner.kind}`, { owners: [owner] }, { kind: 'return' });
}

/** The users and groups of the sidecar, one by one. */
export function ownersOf({ uids, gids }: InterceptOptions['exempt']): readonly Owner[] {
  const owner = (kind: Owner['kind'], id: number): Owner => ({ kind, id });
  return [...uids.map((id) => owner('uid', id)), ...gids.map((id) => owner('gid', id))];
}

function leaveAlone(chain: ChainWriter, options: InterceptOptions): void {
  const { outbound, ownPorts, excludeInterfaces } = options;
  const leave: Action = { kind: 'return' };
  exemptSidecar(chain, options);
  for (const outInterface of excludeInterfaces) chain.add('excluded-interface', { outInterface }, leave);
  const loopback = chain.family === 'ipv4' ? outbound.loopback : parseCidr('::1');
  chain.add('loopback', { destination: loopback }, leave);
  // The own address is reached over lo as well. Whoever wants one of Mesher's ports there means Mesher.
  chain.addPorts('own-port', ownPorts, { ...TCP, outInterface: LOOPBACK }, leave);
  if (outbound.ownAddress === 'direct') chain.add('own-address', { outInterface: LOOPBACK }, leave);
  for (const id of outbound.excludeOwnerGroups) chain.add('excluded-group', { owners: [{ kind: 'gid', id }] }, leave);
  if (outbound.ownerGroups !== '*') {
    const owners = outbound.ownerGroups.map((id): Owner => ({ kind: 'gid', id, not: true }));
    chain.add('other-group', { owners }, leave);
  }
  chain.addPorts('excluded-port', outbound.excludePorts, TCP, leave);
  for (const destination of chain.networks(outbound.excludeCidrs)) {
    if (destination !== undefined) chain.add('excluded-network', { destination }, leave);
  }
}

function interceptedOutbound({ family }: ChainWriter, { outbound, outboundPort }: InterceptOptions): readonly Rule[] {
  const chain = new ChainWriter(family, 'nat', OUTBOUND);
  const action: Action = { kind: 'redirect', port: outboundPort };
  chain.addPorts('always-port', outbound.alwaysPorts, TCP, action);
  for (const destination of chain.networks(outbound.cidrs)) {
    const match: Match = destination === undefined ? TCP : { ...TCP, destination };
    chain.addPorts('to-sidecar', outbound.ports, match, action);
  }
  return chain.rules;
}

/**
 * TPROXY with the address of the caller kept: the sidecar calls the application from that address, over loopback. The answer goes to an
 * address elsewhere and would leave the machine; the mark of the connection brings it back.
 */
export function planKeptSource(family: Family, options: InterceptOptions): readonly Rule[] {
  if (!options.keepSource) return [];
  const { mark } = options.tproxy;
  const entry = new ChainWriter(family, 'mangle', 'OUTPUT');
  entry.add('kept-source', TCP, { kind: 'jump', chain: SOURCE });
  const chain = new ChainWriter(family, 'mangle', SOURCE);
  for (const owner of ownersOf(options.exempt)) {
    const match: Match = { ...TCP, outInterface: LOOPBACK, fromElsewhere: true, owners: [owner] };
    chain.add('remember-connection', match, { kind: 'mark-connection', mark });
  }
  for (const owner of ownersOf(options.exempt)) chain.add(`own-${owner.kind}`, { owners: [owner] }, { kind: 'return' });
  chain.add('answer-comes-back', { ...TCP, connectionMark: mark }, { kind: 'mark', mark });
  return [...entry.rules, ...chain.rules];
}
