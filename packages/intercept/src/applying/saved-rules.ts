import { CHAIN_PREFIX, COMMENT_PREFIX, TABLES, type Table } from '../planning/plan.js';

/** What is ours in one table: chains by name, and rules (`-A CHAIN ...`) in order. */
export interface OwnRules {
  readonly chains: readonly string[];
  readonly rules: readonly string[];
}

export type OwnTables = ReadonlyMap<Table, OwnRules>;

/** Finds what is ours in the output of iptables-save, or in a text for iptables-restore. */
export function ownRulesIn(text: string): OwnTables {
  const found = new Map<Table, { chains: string[]; rules: string[] }>();
  let table: Table | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = TABLES.find((name) => line.slice(1).trim() === name);
    if (table === undefined) continue;
    const own = found.get(table) ?? { chains: [], rules: [] };
    const [, chain] = /^:(\S+)/.exec(line) ?? [];
    if (chain?.startsWith(CHAIN_PREFIX)) own.chains.push(chain);
    if (isOwnRule(line)) own.rules.push(line.trim());
    if (own.chains.length + own.rules.length > 0) found.set(table, own);
  }
  return found;
}

/** Ours are the rules of our chains, those that jump to them, and those with our comment. */
function isOwnRule(line: string): boolean {
  if (!line.startsWith('-A ')) return false;
  const words = line.split(' ');
  const target = words.at(words.lastIndexOf('-j') + 1) ?? '';
  const comment = /--comment "?([^" ]*)/.exec(line)?.[1] ?? '';
  return (
    (words[1] ?? '').startsWith(CHAIN_PREFIX) ||
    (words.includes('-j') && target.startsWith(CHAIN_PREFIX)) ||
    comment.startsWith(COMMENT_PREFIX)
  );
}

/**
 * A text for `iptables-restore --noflush` that puts `wanted` in the place of `present`, table by table, and touches nothing else.
 * @returns an empty text when there is nothing to do
 */
export function replacementText(present: OwnTables, wanted: OwnTables): string {
  return TABLES.map((table) => replaceIn(table, present.get(table), wanted.get(table))).join('');
}

const NOTHING: OwnRules = { chains: [], rules: [] };

function replaceIn(table: Table, present = NOTHING, wanted = NOTHING): string {
  if (sameRules(present, wanted)) return '';
  const chains = [...new Set([...wanted.chains, ...present.chains])];
  const foreign = present.rules.filter((rule) => !rule.startsWith(`-A ${CHAIN_PREFIX}`));
  const gone = present.chains.filter((chain) => !wanted.chains.includes(chain));
  return [
    `*${table}`,
    // Naming a chain makes it, or empties it.
    ...chains.map((chain) => `:${chain} - [0:0]`),
    ...foreign.map((rule) => rule.replace('-A', '-D')),
    ...wanted.rules,
    ...gone.map((chain) => `-X ${chain}`),
    'COMMIT',
    '',
  ].join('\n');
}

/** Whether two sets do the same: the same chains, each with the same rules in the same order. */
export function sameRules(a: OwnRules, b: OwnRules): boolean {
  const chains = (own: OwnRules): string => own.chains.toSorted().join(' ');
  return chains(a) === chains(b) && rulesByChain(a) === rulesByChain(b);
}

function rulesByChain({ rules }: OwnRules): string {
  return [...groupByChain(rules)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, lines]) => lines.map(canonicalRule).join('\n'))
    .join('\n');
}

function groupByChain(rules: readonly string[]): Map<string, string[]> {
  const chains = new Map<string, string[]>();
  for (const rule of rules) {
    const before = chains.get(chainOf(rule));
    if (before === undefined) chains.set(chainOf(rule), [rule]);
    else before.push(rule);
  }
  return chains;
}

function chainOf(rule: string): string {
  return rule.split(' ', 2)[1] ?? '';
}

/**
 * A form in which versions and variants of iptables agree: options with their values in order, without the names of modules, quotes and
 * trailing zeros.
 */
export function canonicalRule(line: string): string {
  const words = line.replaceAll('"', '').split(/\s+/);
  const options: string[] = [];
  for (const word of words) {
    const isOption = /^-/.test(word) || word === '!';
    const follows = options.at(-1) === '!';
    if (isOption && !follows) options.push(word);
    else if (options.length > 0) options[options.length - 1] += ` ${canonicalWord(word)}`;
  }
  return options
    .filter((option) => !option.startsWith('-m '))
    .toSorted()
    .join(' ');
}

function canonicalWord(word: string): string {
  if (/^\d+\.\d+$/.test(word)) return String(Number(Number(word).toFixed(6)));
  return word.replace(/^0x([0-9a-f]+)\/0xffffffff$/, '0x$1');
}
