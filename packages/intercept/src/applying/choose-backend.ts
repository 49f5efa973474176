import { InterceptError } from '../intercept-error.js';
import type { CommandOptions } from '../settings/intercept-options.js';
import type { CommandRunner } from './command-runner.js';
import { IptablesBackend } from './iptables-backend.js';
import { NftBackend } from './nft-backend.js';
import type { RuleBackend } from './rule-backend.js';

/** What reads small files of /proc; undefined for one that is not there or may not be read. */
export type ReadFile = (path: string) => string | undefined;

export interface BackendChoice {
  readonly chosen: RuleBackend;
  /** Others that hold rules of ours, which would be a second set. */
  readonly others: readonly RuleBackend[];
}

interface Installed {
  readonly backends: readonly RuleBackend[];
  /** The variant that the plain name `iptables` stands for. */
  readonly plain: RuleBackend['name'] | undefined;
}

/** Names of the tables of the legacy variant in this namespace. Asking iptables-legacy itself would load its modules. */
const LEGACY_TABLES = ['/proc/net/ip_tables_names', '/proc/net/ip6_tables_names'];

/**
 * Chooses where the rules go. `auto`: where ours are already; where the rules of others are; else what `iptables` stands for; else nft.
 * @throws InterceptError INTERCEPT_NO_PROGRAM
 */
export async function chooseBackend(
  wanted: CommandOptions['backend'],
  run: CommandRunner,
  readFile: ReadFile,
): Promise<BackendChoice> {
  const { backends, plain } = await findInstalled(run);
  const isLegacyInUse = LEGACY_TABLES.some((path) => (readFile(path) ?? '').trim() !== '');
  const usable = backends.filter(({ name }) => name !== 'iptables-legacy' || isLegacyInUse);
  const name =
    wanted === 'auto' ? await automatic(usable, plain, isLegacyInUse) : wanted === 'iptables' ? plain : wanted;
  const chosen = backends.find((backend) => backend.name === name);
  if (chosen === undefined) {
    const missing = wanted === 'auto' ? 'neither iptables nor nft is' : `${wanted} is not`;
    throw new InterceptError('INTERCEPT_NO_PROGRAM', `${missing} installed; install iptables or nftables`);
  }
  const others: RuleBackend[] = [];
  for (const backend of usable) if (backend !== chosen && (await holdsOurs(backend))) others.push(backend);
  return { chosen, others };
}

/** One that cannot say, such as iptables-nft beside tables of nft that it does not understand, holds nothing that it has made. */
async function holdsOurs(backend: RuleBackend): Promise<boolean> {
  return await backend.isPresent().catch(() => false);
}

async function automatic(
  usable: readonly RuleBackend[],
  plain: RuleBackend['name'] | undefined,
  isLegacyInUse: boolean,
): Promise<RuleBackend['name'] | undefined> {
  for (const backend of usable) if (await holdsOurs(backend)) return backend.name;
  if (isLegacyInUse && usable.some(({ name }) => name === 'iptables-legacy')) return 'iptables-legacy';
  return plain ?? usable.at(-1)?.name;
}

async function findInstalled(run: CommandRunner): Promise<Installed> {
  const [iptables, nftVariant, legacy, nft] = [
    await version(run, 'iptables'),
    await version(run, 'iptables-nft'),
    await version(run, 'iptables-legacy'),
    await version(run, 'nft'),
  ];
  // Before 1.8 there was the legacy variant only, and it did not say so.
  const plain = iptables === undefined ? undefined : /nf_tables/.test(iptables) ? 'iptables-nft' : 'iptables-legacy';
  const backends: RuleBackend[] = [];
  const variant = (name: 'iptables-nft' | 'iptables-legacy', found: string | undefined): void => {
    if (found !== undefined) backends.push(new IptablesBackend(name, name, run));
    else if (plain === name) backends.push(new IptablesBackend(name, 'iptables', run));
  };
  variant('iptables-nft', nftVariant);
  variant('iptables-legacy', legacy);
  if (nft !== undefined) backends.push(new NftBackend(run));
  return { backends, plain };
}

async function version(run: CommandRunner, program: string): Promise<string | undefined> {
  const result = await run(program, ['--version']);
  return result?.code === 0 ? result.stdout : undefined;
}
