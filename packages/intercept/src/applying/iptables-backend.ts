import type { Family, Plan, Rule } from '../planning/plan.js';
import { renderIptables, renderIptablesRule } from '../planning/render-iptables.js';
import { mustRun, type CommandRunner } from './command-runner.js';
import type { Drift, Restorable, RuleBackend } from './rule-backend.js';
import { canonicalRule, ownRulesIn, replacementText, type OwnTables } from './saved-rules.js';

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
/** How long to wait for another program that changes rules, in seconds: kubelet and CNI plugins are done within one. */
const LOCK_SECONDS = 5;
/** Chains that only a node has. DOCKER_OUTPUT is none of them: it is in the containers. */
const NODE_CHAINS = /^:(KUBE-SERVICES|KUBE-POSTROUTING|DOCKER|DOCKER-USER|CNI-HOSTPORT-DNAT) /m;
const nothing = (): OwnTables => ownRulesIn('');

/** iptables in one of its variants, for both families. */
export class IptablesBackend implements RuleBackend {
  /**
   * @param program what the programs are called by, such as `iptables-nft` for iptables-nft-save
   */
  constructor(
    readonly name: 'iptables-nft' | 'iptables-legacy',
    private readonly program: string,
    private readonly run: CommandRunner,
  ) {}

  async isPresent(): Promise<boolean> {
    for (const family of FAMILIES) if ((await this.#own(family)).size > 0) return true;
    return false;
  }

  async drift(plan: Plan): Promise<Drift> {
    const missing: Rule[] = [];
    const surplus: string[] = [];
    for (const family of FAMILIES) {
      const present = await this.#own(family);
      const wanted = wantedOf(plan, family);
      if (replacementText(present, wanted) === '') continue;
      const found = new Set(linesOf(present));
      const known = new Set(linesOf(wanted));
      missing.push(
        ...plan.rules.filter(
          (rule) => rule.family === family && !found.has(`${rule.table} ${canonicalRule(renderIptablesRule(rule))}`),
        ),
      );
      surplus.push(...[...found].filter((line) => !known.has(line)).map((line) => `${family} ${line}`));
      if (missing.length + surplus.length === 0) surplus.push(`${family}: the order of the rules is another one`);
    }
    return { missing, surplus };
  }

  async remember(): Promise<Restorable> {
    const before = new Map<Family, OwnTables>();
    for (const family of FAMILIES) before.set(family, await this.#own(family));
    return {
      restore: async () => {
        for (const [family, tables] of before) await this.#replace(family, tables);
      },
    };
  }

  async install(plan: Plan): Promise<boolean> {
    let hasChanged = false;
    for (const family of FAMILIES) hasChanged = (await this.#replace(family, wantedOf(plan, family))) || hasChanged;
    return hasChanged;
  }

  async removalText(): Promise<string> {
    let text = '';
    for (const family of FAMILIES) {
      const removal = replacementText(await this.#own(family), nothing());
      if (removal !== '') text += `# ${this.#command(family, 'restore')} --noflush\n${removal}`;
    }
    return text;
  }

  async remove(): Promise<boolean> {
    let hasChanged = false;
    for (const family of FAMILIES) hasChanged = (await this.#replace(family, nothing())) || hasChanged;
    return hasChanged;
  }

  async nodeSign(): Promise<string | undefined> {
    const [, chain] = NODE_CHAINS.exec(await this.#save('ipv4')) ?? [];
    return chain === undefined ? undefined : `the chain ${chain} of ${this.name}`;
  }

  async #replace(family: Family, wanted: OwnTables): Promise<boolean> {
    const text = replacementText(await this.#own(family), wanted);
    if (text === '') return false;
    const restore = this.#command(family, 'restore');
    // All of it is read and checked before the first table is changed.
    await mustRun(this.run, restore, ['--noflush', '--test', `--wait=${LOCK_SECONDS}`], text);
    await mustRun(this.run, restore, ['--noflush', `--wait=${LOCK_SECONDS}`], text);
    return true;
  }

  async #own(family: Family): Promise<OwnTables> {
    return ownRulesIn(await this.#save(family));
  }

  /** A machine may have no ip6tables where there is no IPv6; then nothing of ours is there either. */
  async #save(family: Family): Promise<string> {
    const save = this.#command(family, 'save');
    const result = await this.run(save, []);
    if (family === 'ipv6' && (result === undefined || result.code !== 0)) return '';
    return result?.code === 0 ? result.stdout : await mustRun(this.run, save, []);
  }

  #command(family: Family, verb: 'save' | 'restore'): string {
    const program = family === 'ipv4' ? this.program : this.program.replace('iptables', 'ip6tables');
    return `${program}-${verb}`;
  }
}

function wantedOf(plan: Plan, family: Family): OwnTables {
  return plan.families.includes(family) ? ownRulesIn(renderIptables(plan, family)) : nothing();
}

function linesOf(tables: OwnTables): string[] {
  return [...tables].flatMap(([table, { rules }]) => rules.map((rule) => `${table} ${canonicalRule(rule)}`));
}
