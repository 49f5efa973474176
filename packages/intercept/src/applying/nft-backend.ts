import { COMMENT_PREFIX, NFT_TABLE, type Family, type Plan, type Rule } from '../planning/plan.js';
import { NFT_FAMILY, nftChain, renderNft, renderNftRemoval, renderNftRule } from '../planning/render-nft.js';
import { mustRun, type CommandRunner } from './command-runner.js';
import { facetsOf } from './nft-facets.js';
import type { Drift, Restorable, RuleBackend } from './rule-backend.js';

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const NODE_TABLES = /^table \S+ (kube-proxy|docker-bridges)$/m;

/** nftables without iptables: one table of ours per family, made anew in one transaction. */
export class NftBackend implements RuleBackend {
  readonly name = 'nft';

  constructor(private readonly run: CommandRunner) {}

  async isPresent(): Promise<boolean> {
    return (await this.#present()).length > 0;
  }

  /** nft prints rules in other words than it reads, so they are compared by chain, place, comment and {@link facetsOf}. */
  async drift(plan: Plan): Promise<Drift> {
    const missing: Rule[] = [];
    const surplus: string[] = [];
    for (const family of FAMILIES) {
      const found = rulesByChain(await this.#list(family));
      const rules = plan.families.includes(family) ? plan.rules.filter((rule) => rule.family === family) : [];
      for (const rule of rules) {
        const lines = found.get(nftChain(rule));
        const [line = ''] = lines ?? [];
        if (reasonIn(line) !== rule.reason) missing.push(rule);
        else {
          lines?.shift();
          if (facetsOf(line) === facetsOf(renderNftRule(rule))) continue;
          missing.push(rule);
          surplus.push(`${family} ${nftChain(rule)} ${line}`);
        }
      }
      for (const [chain, lines] of found) surplus.push(...lines.map((line) => `${family} ${chain} ${line}`));
    }
    return { missing, surplus };
  }

  async remember(): Promise<Restorable> {
    const before = (await this.#present()).join('');
    return {
      restore: async () => {
        await this.#load(`${FAMILIES.map(renderNftRemoval).join('')}${before}`);
      },
    };
  }

  async install(plan: Plan): Promise<boolean> {
    const before = (await this.#present()).join('');
    await this.#load(renderNft(plan));
    return before !== (await this.#present()).join('');
  }

  async removalText(): Promise<string> {
    let text = '';
    for (const family of FAMILIES) if ((await this.#list(family)) !== '') text += renderNftRemoval(family);
    return text === '' ? '' : `# nft -f -\n${text}`;
  }

  async remove(): Promise<boolean> {
    const text = await this.removalText();
    if (text === '') return false;
    await this.#load(text);
    return true;
  }

  async nodeSign(): Promise<string | undefined> {
    const [, table] = NODE_TABLES.exec(await mustRun(this.run, 'nft', ['list', 'tables'])) ?? [];
    return table === undefined ? undefined : `the table ${table} of nftables`;
  }

  async #load(text: string): Promise<void> {
    await mustRun(this.run, 'nft', ['-f', '-'], text);
  }

  async #present(): Promise<readonly string[]> {
    const texts: string[] = [];
    for (const family of FAMILIES) texts.push(await this.#list(family));
    return texts.filter((text) => text !== '');
  }

  /** Our table as nft prints it; empty when there is none. */
  async #list(family: Family): Promise<string> {
    const name = `table ${NFT_FAMILY[family]} ${NFT_TABLE}`;
    const tables = await mustRun(this.run, 'nft', ['list', 'tables']);
    if (!tables.split('\n').includes(name)) return '';
    return await mustRun(this.run, 'nft', ['--numeric', 'list', 'table', NFT_FAMILY[family], NFT_TABLE]);
  }
}

/** The rules in order, by chain. */
function rulesByChain(listing: string): Map<string, string[]> {
  const chains = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const line of listing.split('\n').map((text) => text.trim())) {
    const [, chain] = /^chain (\S+) \{$/.exec(line) ?? [];
    if (chain !== undefined) chains.set(chain, (current = []));
    else if (line === '}' || line === '') current = undefined;
    else if (!line.startsWith('type ')) current?.push(line);
  }
  return chains;
}

/** The reason in our comment; none for a rule of somebody else. */
function reasonIn(line: string): string | undefined {
  const comment = /comment "([^"]*)"/.exec(line)?.[1] ?? '';
  return comment.startsWith(COMMENT_PREFIX) ? comment.slice(COMMENT_PREFIX.length) : undefined;
}
