import { formatCidr } from '../settings/cidr.js';
import { formatRange, type PortRange } from '../settings/port-set.js';
import {
  CHAIN_PREFIX,
  chainsOf,
  COMMENT_PREFIX,
  NFT_TABLE,
  rulesOf,
  TABLES,
  type Action,
  type Family,
  type Hook,
  type Match,
  type Owner,
  type Plan,
  type Rule,
  type Table,
} from './plan.js';

/** Families as nft calls them. */
export const NFT_FAMILY: Readonly<Record<Family, 'ip' | 'ip6'>> = { ipv4: 'ip', ipv6: 'ip6' };

/** The hooks at the priorities of iptables' tables. mangle has the type route at OUTPUT, so that a mark changes the way. */
const BASE_CHAINS: Readonly<Record<Table, Readonly<Record<Hook, string>>>> = {
  raw: {
    PREROUTING: 'type filter hook prerouting priority -300; policy accept;',
    OUTPUT: 'type filter hook output priority -300; policy accept;',
  },
  mangle: {
    PREROUTING: 'type filter hook prerouting priority -150; policy accept;',
    OUTPUT: 'type route hook output priority -150; policy accept;',
  },
  nat: {
    PREROUTING: 'type nat hook prerouting priority -100; policy accept;',
    OUTPUT: 'type nat hook output priority -100; policy accept;',
  },
};

/** A share of the packets is counted in millionths. */
const MILLION = 1_000_000;

/** What `nft -f` reads: in one transaction our table is made anew, for both families; a family without rules loses it. */
export function renderNft(plan: Plan): string {
  const families = Object.keys(NFT_FAMILY) as Family[];
  return families.map((family) => `${renderNftRemoval(family)}${renderFamily(plan, family)}`).join('');
}

/** Removes our table, which need not be there. */
export function renderNftRemoval(family: Family): string {
  const name = `${NFT_FAMILY[family]} ${NFT_TABLE}`;
  return `table ${name}\ndelete table ${name}\n`;
}

function renderFamily(plan: Plan, family: Family): string {
  const chains = TABLES.flatMap((table) => renderChains(plan, family, table));
  if (chains.length === 0) return '';
  return `table ${NFT_FAMILY[family]} ${NFT_TABLE} {\n${chains.join('\n')}}\n`;
}

function renderChains(plan: Plan, family: Family, table: Table): readonly string[] {
  const rules = rulesOf(plan, family, table);
  const hooks = (Object.keys(BASE_CHAINS[table]) as Hook[]).filter((hook) => rules.some(({ chain }) => chain === hook));
  // Chains first that are jumped to.
  const own = chainsOf(plan, family, table)
    .toReversed()
    .map((chain) => renderChain(chain, [], rulesIn(rules, chain)));
  return [
    ...own,
    ...hooks.map((hook) => renderChain(baseChain(table, hook), [BASE_CHAINS[table][hook]], rulesIn(rules, hook))),
  ];
}

/** The name of a chain in our table. */
export function nftChain({ table, chain }: Pick<Rule, 'table' | 'chain'>): string {
  return chain === 'PREROUTING' || chain === 'OUTPUT' ? baseChain(table, chain) : chain;
}

function baseChain(table: Table, hook: Hook): string {
  return `${CHAIN_PREFIX}${table.toUpperCase()}_${hook}`;
}

function rulesIn(rules: readonly Rule[], chain: string): readonly string[] {
  return rules.filter((rule) => rule.chain === chain).map(renderNftRule);
}

function renderChain(name: string, head: readonly string[], rules: readonly string[]): string {
  return [`  chain ${name} {`, ...[...head, ...rules].map((line) => `    ${line}`), '  }', ''].join('\n');
}

/** One rule without its chain. */
export function renderNftRule({ family, match, action, reason }: Rule): string {
  return [...renderMatch(family, match), renderAction(action), `comment "${COMMENT_PREFIX}${reason}"`].join(' ');
}

function renderMatch(family: Family, match: Match): readonly string[] {
  const { source, destination, inInterface, outInterface, connectionMark, probability, owners = [] } = match;
  const ip = NFT_FAMILY[family];
  const parts: string[] = [];
  if (source !== undefined) parts.push(`${ip} saddr ${formatCidr(source)}`);
  if (destination !== undefined) parts.push(`${ip} daddr ${formatCidr(destination)}`);
  if (inInterface !== undefined) parts.push(`iifname "${inInterface}"`);
  if (outInterface !== undefined) parts.push(`oifname "${outInterface}"`);
  parts.push(...renderTransport(match));
  if (match.toHere) parts.push('fib daddr type local');
  if (match.fromElsewhere) parts.push('fib saddr type != local');
  parts.push(...owners.map(renderOwner));
  if (match.invalid) parts.push('ct state invalid');
  if (match.transparentSocket) parts.push('socket transparent 1');
  if (connectionMark !== undefined) parts.push(`ct mark ${connectionMark}`);
  if (probability !== undefined) parts.push(`numgen random mod ${MILLION} < ${Math.round(probability * MILLION)}`);
  return parts;
}

function renderTransport({ protocol, ports, sourcePort, opening }: Match): readonly string[] {
  if (protocol === undefined) return [];
  const parts: string[] = [];
  if (sourcePort !== undefined) parts.push(`${protocol} sport ${sourcePort}`);
  if (ports !== undefined) parts.push(`${protocol} dport ${portSet(ports)}`);
  if (opening) parts.push('tcp flags & (fin|syn|rst|ack) == syn');
  return parts.length > 0 ? parts : [`meta l4proto ${protocol}`];
}

function portSet(ports: readonly PortRange[]): string {
  const ranges = ports.map((range) => formatRange(range));
  return ranges.length === 1 ? ranges.join('') : `{ ${ranges.join(', ')} }`;
}

function renderOwner({ kind, id, not }: Owner): string {
  return `meta sk${kind} ${not ? '!= ' : ''}${id}`;
}

function renderAction(action: Action): string {
  switch (action.kind) {
    case 'jump':
      return `jump ${action.chain}`;
    case 'return':
    case 'accept':
    case 'drop':
      return action.kind;
    case 'redirect':
      return `redirect to :${action.port}`;
    case 'tproxy':
      return `tproxy to :${action.port} meta mark set ${action.mark} accept`;
    case 'mark':
      return `meta mark set ${action.mark}`;
    case 'mark-connection':
      return `ct mark set ${action.mark}`;
    case 'conntrack-zone':
      return `ct zone set ${action.zone}`;
  }
}
