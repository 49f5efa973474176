import type { Cidr, Family } from '../settings/cidr.js';
import type { PortRange } from '../settings/port-set.js';

export type { Family } from '../settings/cidr.js';

export type Table = 'raw' | 'mangle' | 'nat';

/** Where packets enter: those that arrive, and those that programs here send. */
export type Hook = 'PREROUTING' | 'OUTPUT';

/** All chains of ours begin with this. Cleanup removes them and what jumps to them, and nothing else. */
export const CHAIN_PREFIX = 'MESHER_';
/** Every comment of ours begins with this. */
export const COMMENT_PREFIX = 'mesher/';
/** The table of ours where nftables is used natively. */
export const NFT_TABLE = 'mesher';

export type ChainName = `${typeof CHAIN_PREFIX}${string}`;

/** Who sends a packet; what a rule with several owners says holds for all of them. */
export interface Owner {
  readonly kind: 'uid' | 'gid';
  readonly id: number;
  readonly not?: boolean;
}

/** Conditions, all of which hold; none: every packet. */
export interface Match {
  readonly source?: Cidr;
  readonly destination?: Cidr;
  readonly inInterface?: string;
  readonly outInterface?: string;
  readonly protocol?: 'tcp' | 'udp';
  readonly sourcePort?: number;
  readonly ports?: readonly PortRange[];
  /** The first packet of a connection: SYN without ACK. */
  readonly opening?: true;
  /** The destination is an address of this machine. */
  readonly toHere?: true;
  /** The source is no address of this machine. */
  readonly fromElsewhere?: true;
  readonly owners?: readonly Owner[];
  /** Conntrack cannot place the packet. */
  readonly invalid?: true;
  /** There is a connection for it that a transparent listener has accepted. */
  readonly transparentSocket?: true;
  /** Mark of the connection. */
  readonly connectionMark?: number;
  /** Share of the packets. */
  readonly probability?: number;
}

export type Action =
  | { readonly kind: 'jump'; readonly chain: ChainName }
  | { readonly kind: 'return' }
  | { readonly kind: 'accept' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'redirect'; readonly port: number }
  | { readonly kind: 'tproxy'; readonly port: number; readonly mark: number }
  | { readonly kind: 'mark'; readonly mark: number }
  | { readonly kind: 'mark-connection'; readonly mark: number }
  | { readonly kind: 'conntrack-zone'; readonly zone: number };

export interface Rule {
  readonly family: Family;
  readonly table: Table;
  readonly chain: ChainName | Hook;
  readonly match: Match;
  readonly action: Action;
  /** Why, in a word or two that are one word: it follows `mesher/` in the comment. */
  readonly reason: string;
}

/** A route or rule of routing, which brings marked packets to the sidecar (TPROXY). */
export interface RouteStep {
  readonly family: Family;
  readonly kind: 'rule' | 'route';
  readonly mark: number;
  readonly table: number;
}

/** Everything that is to be there. Order of the rules within a chain is their order in the list. */
export interface Plan {
  readonly families: readonly Family[];
  readonly rules: readonly Rule[];
  readonly routes: readonly RouteStep[];
}

/** The chains of ours of one family and table, in the order of their first rule. */
export function chainsOf(plan: Plan, family: Family, table: Table): readonly ChainName[] {
  const names = rulesOf(plan, family, table).flatMap(({ chain, action }) =>
    action.kind === 'jump' ? [chain, action.chain] : [chain],
  );
  return [...new Set(names)].filter((name): name is ChainName => name.startsWith(CHAIN_PREFIX));
}

export function rulesOf(plan: Plan, family: Family, table: Table): readonly Rule[] {
  return plan.rules.filter((rule) => rule.family === family && rule.table === table);
}

/** In the order in which packets pass them. */
export const TABLES: readonly Table[] = ['raw', 'mangle', 'nat'];
