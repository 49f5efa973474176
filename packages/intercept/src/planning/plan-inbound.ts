import type { InterceptOptions } from '../settings/intercept-options.js';
import { ChainWriter } from './chain-writer.js';
import type { Action, ChainName, Family, Match, Rule } from './plan.js';

const INBOUND: ChainName = 'MESHER_INBOUND';
const DIVERT: ChainName = 'MESHER_DIVERT';
const HAND_OVER: ChainName = 'MESHER_TPROXY';
const INVALID: ChainName = 'MESHER_INVALID';
const LOOPBACK = 'lo';

/** Connections that others make to the application. */
export function planInbound(family: Family, options: InterceptOptions): readonly Rule[] {
  const { ports, cidrs, probability } = options.inbound;
  const hasNone = probability === 0 || (ports !== '*' && ports.length === 0) || (cidrs !== '*' && cidrs.length === 0);
  if (hasNone) return [];
  return options.mode === 'tproxy' ? planTransparent(family, options) : planRedirect(family, options);
}

/** Packets that belong to no connection, such as the late ones of a connection that conntrack has given up. */
export function planDropInvalid(family: Family, { dropInvalid, excludeInterfaces }: InterceptOptions): readonly Rule[] {
  if (!dropInvalid) return [];
  const entry = new ChainWriter(family, 'mangle', 'PREROUTING');
  entry.add('drop-invalid', { protocol: 'tcp' }, { kind: 'jump', chain: INVALID });
  const chain = new ChainWriter(family, 'mangle', INVALID);
  for (const inInterface of excludeInterfaces) chain.add('excluded-interface', { inInterface }, { kind: 'return' });
  chain.add('invalid-packet', { protocol: 'tcp', invalid: true }, { kind: 'drop' });
  return [...entry.rules, ...chain.rules];
}

function planRedirect(family: Family, options: InterceptOptions): readonly Rule[] {
  const { probability } = options.inbound;
  const entry = new ChainWriter(family, 'nat', 'PREROUTING');
  // Only what is for this machine: what it forwards to containers or virtual machines is theirs.
  const match: Match = { protocol: 'tcp', toHere: true, ...(probability < 1 ? { probability } : {}) };
  entry.add('inbound', match, { kind: 'jump', chain: INBOUND });
  const chain = new ChainWriter(family, 'nat', INBOUND);
  leaveAlone(chain, options);
  intercept(chain, options, { protocol: 'tcp' }, { kind: 'redirect', port: options.inboundPort });
  return [...entry.rules, ...chain.rules];
}

/**
 * mangle sees every packet, not only the first of a connection. Those of a connection that the sidecar has accepted are known by its
 * socket; of the others only the opening one may go to the sidecar, so that the dice are cast once, and a connection that was left
 * alone stays so.
 */
function planTransparent(family: Family, options: InterceptOptions): readonly Rule[] {
  const { mark } = options.tproxy;
  const { probability } = options.inbound;
  const entry = new ChainWriter(family, 'mangle', 'PREROUTING');
  entry.add('inbound', { protocol: 'tcp', toHere: true }, { kind: 'jump', chain: INBOUND });
  const chain = new ChainWriter(family, 'mangle', INBOUND);
  // The sidecar calls the application over loopback: those packets pass here, too, and must not come back to it.
  chain.add('local-delivery', { inInterface: LOOPBACK }, { kind: 'return' });
  for (const inInterface of options.excludeInterfaces) {
    chain.add('excluded-interface', { inInterface }, { kind: 'return' });
  }
  chain.add('known-connection', { protocol: 'tcp', transparentSocket: true }, { kind: 'jump', chain: DIVERT });
  leaveAlone(chain, { ...options, excludeInterfaces: [] });
  const opening: Match = { protocol: 'tcp', opening: true, ...(probability < 1 ? { probability } : {}) };
  intercept(chain, options, opening, { kind: 'jump', chain: HAND_OVER });
  const handOver = new ChainWriter(family, 'mangle', HAND_OVER);
  handOver.add('hand-over', { protocol: 'tcp' }, { kind: 'tproxy', port: options.inboundPort, mark });
  // Where nobody listens, iptables drops the packet, while nft goes on with the next rule, which would let it pass the sidecar. The client
  // asks again, and a sidecar that is back by then has lost nothing. In a chain of their own, so that the dice are cast once for both.
  handOver.add('no-sidecar', { protocol: 'tcp' }, { kind: 'drop' });
  const divert = new ChainWriter(family, 'mangle', DIVERT);
  divert.add('mark-for-local-route', {}, { kind: 'mark', mark });
  divert.add('known-connection', {}, { kind: 'accept' });
  return [...entry.rules, ...chain.rules, ...divert.rules, ...handOver.rules];
}

function leaveAlone(chain: ChainWriter, { excludeInterfaces, ownPorts, inbound }: InterceptOptions): void {
  for (const inInterface of excludeInterfaces) chain.add('excluded-interface', { inInterface }, { kind: 'return' });
  chain.addPorts('own-port', ownPorts, { protocol: 'tcp' }, { kind: 'return' });
  chain.addPorts('excluded-port', inbound.excludePorts, { protocol: 'tcp' }, { kind: 'return' });
  for (const source of chain.networks(inbound.excludeCidrs)) {
    if (source !== undefined) chain.add('excluded-network', { source }, { kind: 'return' });
  }
}

function intercept(chain: ChainWriter, { inbound }: InterceptOptions, match: Match, action: Action): void {
  for (const source of chain.networks(inbound.cidrs)) {
    chain.addPorts('to-sidecar', inbound.ports, source === undefined ? match : { ...match, source }, action);
  }
}
