import { contains } from '../settings/cidr.js';
import { hasPort } from '../settings/port-set.js';
import type { Action, Family, Hook, Match, Plan, Rule, Table } from '../planning/plan.js';

/** The first packet of a connection, or a question over UDP. */
export interface Packet {
  readonly family: Family;
  readonly protocol: 'tcp' | 'udp';
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly sourcePort: number;
  readonly inInterface?: string;
  readonly outInterface?: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** What became of a packet, as the kernel would decide it; undefined when no rule decides. */
export function walk(plan: Plan, table: Table, hook: Hook, packet: Packet): Action | undefined {
  const rules = plan.rules.filter((rule) => rule.family === packet.family && rule.table === table);
  return walkChain(rules, hook, packet);
}

function walkChain(rules: readonly Rule[], chain: string, packet: Packet): Action | undefined {
  for (const { match, action } of rules.filter((rule) => rule.chain === chain)) {
    if (!matches(match, packet)) continue;
    if (action.kind === 'return') return undefined;
    if (action.kind === 'mark' || action.kind === 'mark-connection') continue;
    if (action.kind !== 'jump') return action;
    const verdict = walkChain(rules, action.chain, packet);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

/** A packet that opens a connection to this machine, unknown to conntrack's books and to any socket; every throw of the dice hits. */
function matches(match: Match, packet: Packet): boolean {
  const { owners = [], ports, source, destination } = match;
  return (
    (match.protocol ?? packet.protocol) === packet.protocol &&
    (source === undefined || contains(source, packet.source)) &&
    (destination === undefined || contains(destination, packet.destination)) &&
    (match.inInterface ?? packet.inInterface) === packet.inInterface &&
    (match.outInterface ?? packet.outInterface) === packet.outInterface &&
    (ports === undefined || hasPort(ports, packet.port)) &&
    (match.sourcePort ?? packet.sourcePort) === packet.sourcePort &&
    owners.every(({ kind, id, not = false }) => (packet[kind] === id) !== not) &&
    match.invalid === undefined &&
    match.transparentSocket === undefined &&
    match.connectionMark === undefined &&
    match.fromElsewhere === undefined
  );
}
