import { formatCidr } from '../settings/cidr.js';
import { formatRange, type PortRange } from '../settings/port-set.js';
import {
  chainsOf,
  COMMENT_PREFIX,
  rulesOf,
  TABLES,
  type Action,
  type Family,
  type Match,
  type Owner,
  type Plan,
  type Rule,
  type Table,
} from './plan.js';

/** All tables of one family as iptables-restore or ip6tables-restore reads them; empty when there is no rule. */
export function renderIptables(plan: Plan, family: Family): string {
  return TABLES.map((table) => renderTable(plan, family, table)).join('');
}

function renderTable(plan: Plan, family: Family, table: Table): string {
  const rules = rulesOf(plan, family, table);
  if (rules.length === 0) return '';
  const chains = chainsOf(plan, family, table).map((chain) => `:${chain} - [0:0]`);
  return [`*${table}`, ...chains, ...rules.map(renderIptablesRule), 'COMMIT', ''].join('\n');
}

/** One rule as `iptables-save` prints it, so that what is there can be compared with what shall be. */
export function renderIptablesRule(rule: Rule): string {
  return `-A ${rule.chain} ${[...renderMatch(rule.match), renderComment(rule), renderAction(rule.action, rule)].join(' ')}`;
}

/** The conditions alone, for people. */
export function renderIptablesMatch(match: Match): string {
  return renderMatch(match).join(' ');
}

/** The action alone, for people. */
export function renderIptablesAction(rule: Rule): string {
  return renderAction(rule.action, rule);
}

function renderComment({ reason }: Rule): string {
  return `-m comment --comment "${COMMENT_PREFIX}${reason}"`;
}

function renderMatch(match: Match): readonly string[] {
  const { source, destination, inInterface, outInterface, protocol, connectionMark, probability, owners = [] } = match;
  const parts: string[] = [];
  if (source !== undefined) parts.push(`-s ${formatCidr(source)}`);
  if (destination !== undefined) parts.push(`-d ${formatCidr(destination)}`);
  if (inInterface !== undefined) parts.push(`-i ${inInterface}`);
  if (outInterface !== undefined) parts.push(`-o ${outInterface}`);
  if (protocol !== undefined) parts.push(`-p ${protocol}`, ...renderTransport(match, protocol));
  if (match.toHere) parts.push('-m addrtype --dst-type LOCAL');
  if (match.fromElsewhere) parts.push('-m addrtype ! --src-type LOCAL');
  parts.push(...owners.map(renderOwner));
  if (match.invalid) parts.push('-m conntrack --ctstate INVALID');
  if (match.transparentSocket) parts.push('-m socket --transparent');
  if (connectionMark !== undefined) parts.push(`-m connmark --mark ${hex(connectionMark)}`);
  if (probability !== undefined) parts.push(`-m statistic --mode random --probability ${probability.toFixed(11)}`);
  return parts;
}

function renderTransport({ ports, sourcePort, opening }: Match, protocol: string): readonly string[] {
  const parts: string[] = [];
  const own: string[] = [];
  const [only, ...others] = ports ?? [];
  if (sourcePort !== undefined) own.push(`--sport ${sourcePort}`);
  if (only !== undefined && others.length === 0) own.push(`--dport ${formatRange(only, ':')}`);
  if (opening) own.push('--tcp-flags FIN,SYN,RST,ACK SYN');
  if (own.length > 0) parts.push(`-m ${protocol} ${own.join(' ')}`);
  if (others.length > 0) parts.push(`-m multiport --dports ${multiport(ports ?? [])}`);
  return parts;
}

function multiport(ports: readonly PortRange[]): string {
  return ports.map((range) => formatRange(range, ':')).join(',');
}

function renderOwner({ kind, id, not }: Owner): string {
  return `-m owner ${not ? '! ' : ''}--${kind}-owner ${id}`;
}

function renderAction(action: Action, { family }: Rule): string {
  switch (action.kind) {
    case 'jump':
      return `-j ${action.chain}`;
    case 'return':
    case 'accept':
    case 'drop':
      return `-j ${action.kind.toUpperCase()}`;
    case 'redirect':
      return `-j REDIRECT --to-ports ${action.port}`;
    case 'tproxy': {
      const anywhere = family === 'ipv4' ? '0.0.0.0' : '::';
      return `-j TPROXY --on-port ${action.port} --on-ip ${anywhere} --tproxy-mark ${hex(action.mark)}/0xffffffff`;
    }
    case 'mark':
      return `-j MARK --set-xmark ${hex(action.mark)}/0xffffffff`;
    case 'mark-connection':
      return `-j CONNMARK --set-xmark ${hex(action.mark)}/0xffffffff`;
    case 'conntrack-zone':
      return `-j CT --zone ${action.zone}`;
  }
}

function hex(mark: number): string {
  return `0x${mark.toString(16)}`;
}
