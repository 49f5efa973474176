import type { Timers } from '@mesher/core';
import { runCommand, type CommandRunner } from '../applying/command-runner.js';
import type { FullDrift, Interception } from '../applying/interception.js';
import { OriginalDestinations } from '../original-destination/original-destinations.js';
import type { Family, Rule } from '../planning/plan.js';
import { renderIptablesAction, renderIptablesMatch } from '../planning/render-iptables.js';
import type { CommandOptions, InterceptOptions } from '../settings/intercept-options.js';
import { HERE, Neighbour, THERE } from './neighbour.js';
import { probe, type ProbeResult } from './probe-client.js';
import { ProbeListener } from './probe-listener.js';
import { exemption, inboundPort, outboundTarget } from './probe-targets.js';

/** One thing that was looked at. */
export interface Finding {
  /** `untested` when it could not be tried; the text says why. */
  readonly state: 'holds' | 'broken' | 'untested';
  readonly text: string;
}

export interface VerifyTools {
  readonly timers: Timers;
  readonly run: CommandRunner;
}

/** With a share of the connections, so many probes that all of them miss once in 500 million times. */
const MISS_EXPONENT = 20;
const MOST_PROBES = 400;

/**
 * Looks whether the rules are those of the plan, and connects through them: outwards to an address that nobody has, inwards from a
 * neighbour that it makes. Where the sidecar does not run, a listener takes its place meanwhile.
 */
export async function verifyInterception(
  interception: Interception,
  options: InterceptOptions,
  command: Pick<CommandOptions, 'probePort' | 'probeTimeoutMs'>,
  { timers, run = runCommand }: Pick<VerifyTools, 'timers'> & Partial<VerifyTools>,
): Promise<readonly Finding[]> {
  const findings = [...describeDrift(await interception.drift())];
  const verifier = new Verifier(interception, options, command, { timers, run });
  findings.push(...(await verifier.outbound()), ...(await verifier.inbound()));
  return findings;
}

function describeDrift({ missing, surplus, missingRoutes }: FullDrift): readonly Finding[] {
  const broken = [
    ...missing.map((rule) => `missing: ${describeRule(rule)}`),
    ...surplus.map((line) => `not of the plan: ${line}`),
    ...missingRoutes.map(({ family, kind, table }) => `missing: ${family} ${kind} of routing table ${table}`),
  ];
  if (broken.length === 0) return [{ state: 'holds', text: 'the rules are those of the plan' }];
  return broken.map((text) => ({ state: 'broken', text }));
}

function describeRule(rule: Rule): string {
  const { family, table, chain, match, reason } = rule;
  return `${family} ${table} ${chain}: ${renderIptablesMatch(match)} ${renderIptablesAction(rule)} (${reason})`;
}

class Verifier {
  constructor(
    private readonly interception: Interception,
    private readonly options: InterceptOptions,
    private readonly command: Pick<CommandOptions, 'probePort' | 'probeTimeoutMs'>,
    private readonly tools: VerifyTools,
  ) {}

  async outbound(): Promise<readonly Finding[]> {
    const families = this.#familiesOf('MESHER_OUTBOUND');
    if (families.length === 0) return [];
    const exempt = exemption(this.options, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    if (exempt !== undefined) return [untested('outbound', `${exempt}; run it as another user`)];
    const { outboundPort, outbound } = this.options;
    const { probeTimeoutMs } = this.command;
    return await this.#withListener(outboundPort, false, async (listener) => {
      const findings: Finding[] = [];
      for (const family of families) {
        const target = outboundTarget(family, this.options, this.command.probePort);
        if (typeof target === 'string') findings.push(untested(`outbound ${family}`, target));
        else {
          const attempts = (count: number): Promise<ProbeResult[]> =>
            Promise.all(Array.from({ length: count }, () => probe(target, probeTimeoutMs, this.tools.timers)));
          const what = `outbound ${family} to ${target.address} port ${target.port}`;
          findings.push(await this.#judge(what, outbound.probability, attempts, listener));
        }
      }
      return findings;
    });
  }

  async inbound(): Promise<readonly Finding[]> {
    const families = this.#familiesOf('MESHER_INBOUND');
    if (families.length === 0) return [];
    const neighbour = await Neighbour.connect(this.tools.run, families);
    if (typeof neighbour === 'string') return [untested('inbound', `no neighbour to call from: ${neighbour}`)];
    const { inboundPort: to, inbound, mode } = this.options;
    const { probeTimeoutMs } = this.command;
    try {
      return await this.#withListener(to, mode === 'tproxy', async (listener) => {
        const findings: Finding[] = [];
        for (const family of families) {
          const port = inboundPort(this.options, THERE[family], this.command.probePort);
          if (typeof port === 'string') findings.push(untested(`inbound ${family}`, port));
          else {
            const target = { address: HERE[family], port };
            const attempts = (count: number): Promise<ProbeResult[]> => neighbour.probe(target, probeTimeoutMs, count);
            findings.push(
              await this.#judge(`inbound ${family} to port ${port}`, inbound.probability, attempts, listener),
            );
          }
        }
        return findings;
      });
    } finally {
      await neighbour.close();
    }
  }

  #familiesOf(chain: string): readonly Family[] {
    const { families, rules } = this.interception.plan;
    return families.filter((family) => rules.some((rule) => rule.family === family && rule.chain === chain));
  }

  async #withListener(
    port: number,
    isTransparent: boolean,
    use: (listener: ProbeListener | undefined) => Promise<readonly Finding[]>,
  ): Promise<readonly Finding[]> {
    const listener = await ProbeListener.open(port, (server) => {
      if (isTransparent) OriginalDestinations.load().makeTransparent(server);
    });
    try {
      return await use(listener);
    } finally {
      listener?.close();
    }
  }

  async #judge(
    what: string,
    probability: number,
    attempts: (count: number) => Promise<readonly ProbeResult[]>,
    listener: ProbeListener | undefined,
  ): Promise<Finding> {
    const count = probability < 1 ? Math.min(MOST_PROBES, Math.ceil(MISS_EXPONENT / probability)) : 1;
    let last: ProbeResult = { kind: 'no-answer' };
    // All at once: each that is left alone may take its whole time.
    for (const result of await attempts(count)) {
      last = result;
      if (result.kind === 'accepted' && (await this.#arrived(result.clientPort, listener))) {
        const where = listener === undefined ? 'the sidecar' : 'the listener in its place';
        return { state: 'holds', text: `${what} comes to ${where}` };
      }
    }
    if (last.kind === 'unreachable') return untested(what, 'there is no route, so the rules were not asked');
    const how = { accepted: 'somebody else accepts it', refused: 'it is refused', 'no-answer': 'nobody answers' }[
      last.kind
    ];
    return { state: 'broken', text: `${what} does not come to the sidecar: ${how}` };
  }

  /** Without a listener of ours the sidecar has accepted: nobody else is at the target. */
  async #arrived(clientPort: number, listener: ProbeListener | undefined): Promise<boolean> {
    return (await listener?.sees(clientPort, this.command.probeTimeoutMs, this.tools.timers)) ?? true;
  }
}

function untested(what: string, why: string): Finding {
  return { state: 'untested', text: `${what}: not tried, ${why}` };
}
