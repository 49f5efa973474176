import { readFileSync } from 'node:fs';
import type { Family, Plan, RouteStep } from '../planning/plan.js';
import { planInterception } from '../planning/planner.js';
import type { CommandOptions, InterceptOptions } from '../settings/intercept-options.js';
import { chooseBackend, type BackendChoice, type ReadFile } from './choose-backend.js';
import { runCommand, type CommandRunner } from './command-runner.js';
import { refuseFirstNamespace, refuseNode } from './host-network.js';
import { RouteKeeper, sameStep } from './route-keeper.js';
import type { Drift, RuleBackend } from './rule-backend.js';

export interface InterceptionTools {
  readonly run: CommandRunner;
  readonly readFile: ReadFile;
}

export interface Applied {
  readonly backend: RuleBackend['name'];
  readonly hasChanged: boolean;
}

/** Drift of rules and of routing. */
export interface FullDrift extends Drift {
  readonly missingRoutes: readonly RouteStep[];
}

const SYSTEM_TOOLS: InterceptionTools = { run: runCommand, readFile: readText };
/** Addresses of IPv6 in this namespace: none where it is switched off (Docker's default), no such file where the kernel has no IPv6. */
const IPV6_ADDRESSES = '/proc/net/if_inet6';

/** The families that have rules. */
export function familiesFor({ ipv6 }: InterceptOptions, readFile: ReadFile = readText): readonly Family[] {
  const isWanted = ipv6 === 'auto' ? (readFile(IPV6_ADDRESSES) ?? '').trim() !== '' : ipv6;
  return isWanted ? ['ipv4', 'ipv6'] : ['ipv4'];
}

/** The rules of this network namespace: applies, compares and removes them. */
export class Interception {
  readonly plan: Plan;
  readonly #routes: RouteKeeper;

  private constructor(
    options: InterceptOptions,
    private readonly backends: BackendChoice,
    tools: InterceptionTools,
  ) {
    this.plan = planInterception(options, familiesFor(options, tools.readFile));
    this.#routes = new RouteKeeper(tools.run);
  }

  /**
   * @param command without `hostNetwork` the network of a whole machine is refused
   * @throws InterceptError INTERCEPT_HOST_NETWORK, INTERCEPT_NO_PROGRAM, INTERCEPT_NOT_PERMITTED
   */
  static async open(
    options: InterceptOptions,
    { backend, hostNetwork }: Pick<CommandOptions, 'backend' | 'hostNetwork'>,
    tools: InterceptionTools = SYSTEM_TOOLS,
  ): Promise<Interception> {
    if (!hostNetwork) refuseFirstNamespace(tools.readFile);
    return new Interception(options, await chooseBackend(backend, tools.run, tools.readFile), tools);
  }

  get backend(): RuleBackend['name'] {
    return this.backends.chosen.name;
  }

  /**
   * Makes the rules be there, whatever was there of ours before. Where all is in place nothing is touched. When a command fails, what was
   * there before is put back.
   * @throws InterceptError INTERCEPT_HOST_NETWORK unless `hostNetwork`; INTERCEPT_NOT_PERMITTED, INTERCEPT_KERNEL, INTERCEPT_COMMAND
   */
  async apply({ hostNetwork }: Pick<CommandOptions, 'hostNetwork'>): Promise<Applied> {
    const { chosen, others } = this.backends;
    if (!hostNetwork) await refuseNode([chosen, ...others]);
    const undo: (() => Promise<unknown>)[] = [];
    let hasChanged = false;
    const step = async (prior: () => Promise<unknown>, change: () => Promise<boolean>): Promise<void> => {
      undo.unshift(prior);
      hasChanged = (await change()) || hasChanged;
    };
    try {
      const routes = await this.#routes.present();
      // Routes first: a marked packet without its route would be lost.
      await step(
        () => this.#routes.install({ routes }),
        () => this.#routes.install(this.plan),
      );
      const before = await chosen.remember();
      await step(
        () => before.restore(),
        () => chosen.install(this.plan),
      );
      for (const other of others) {
        const others = await other.remember();
        await step(
          () => others.restore(),
          () => other.remove(),
        );
      }
    } catch (error) {
      // The first failure is what the user must know; one of the way back would hide it.
      for (const back of undo) await back().catch(() => undefined);
      throw error;
    }
    return { backend: chosen.name, hasChanged };
  }

  /** What is not as planned. */
  async drift(): Promise<FullDrift> {
    const routes = await this.#routes.present();
    const missingRoutes = this.plan.routes.filter((step) => !routes.some((found) => sameStep(found, step)));
    return { ...(await this.backends.chosen.drift(this.plan)), missingRoutes };
  }

  /** Removes all that is ours, in every program that may hold it. @returns where there was something */
  async cleanup(): Promise<readonly string[]> {
    const { chosen, others } = this.backends;
    const removed: string[] = [];
    for (const backend of [chosen, ...others]) if (await backend.remove()) removed.push(backend.name);
    if (await this.#routes.install({ routes: [] })) removed.push('routes');
    return removed;
  }

  /** What {@link cleanup} would feed to the programs. */
  async cleanupText(): Promise<string> {
    const { chosen, others } = this.backends;
    let text = '';
    for (const backend of [chosen, ...others]) text += await backend.removalText();
    const routes = await this.#routes.present();
    return `${text}${routes.map(({ family, kind, table }) => `# ${family} ${kind} of table ${table}\n`).join('')}`;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
