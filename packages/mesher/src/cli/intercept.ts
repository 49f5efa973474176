import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isMeshError, systemPorts } from '@mesher/core';
import {
  aloneInNamespace,
  familiesFor,
  InterceptError,
  Interception,
  planInterception,
  readSettings,
  renderPlan,
  verifyInterception,
  type PlanFormat,
  type ReadSettings,
} from '@mesher/intercept';
import { EXIT, type ExitCode } from './exit-codes.js';

export interface InterceptRequest {
  readonly action: 'plan' | 'apply' | 'verify' | 'cleanup';
  readonly format: PlanFormat;
  /** By the flag of the setting. */
  readonly flags: ReadonlyMap<string, string | boolean>;
}

export interface InterceptStreams {
  readonly out: (text: string) => unknown;
  readonly err: (text: string) => unknown;
}

/** `mesher intercept`: plans, applies, verifies and removes the rules of interception. */
export async function runIntercept(
  request: InterceptRequest,
  env: NodeJS.ProcessEnv,
  streams: InterceptStreams,
): Promise<ExitCode> {
  try {
    const sidecarPorts = await portsOfSidecar(env, streams);
    const settings = readSettings({ flags: request.flags, env, resolvConf: readResolvConf, sidecarPorts });
    for (const notice of settings.notices) streams.err(`mesher intercept: ${notice}\n`);
    const { networkNamespace } = settings.command;
    if (networkNamespace !== undefined && request.action !== 'plan') return await runInside(networkNamespace, request);
    return await ACTIONS[actionOf(request, settings)](settings, streams, request);
  } catch (error) {
    if (!isMeshError(error)) throw error;
    streams.err(`mesher intercept: ${error.message}\n`);
    if (!(error instanceof InterceptError)) return EXIT.failed;
    if (error.code === 'INTERCEPT_SETTING') return EXIT.usage;
    streams.err(`${error.code}: ${error.remedy}\n`);
    return EXIT.failed;
  }
}

type Act = (settings: ReadSettings, streams: InterceptStreams, request: InterceptRequest) => Promise<ExitCode>;

const ACTIONS: Readonly<Record<InterceptRequest['action'], Act>> = { plan, apply, verify, cleanup };

function actionOf({ action }: InterceptRequest, { command }: ReadSettings): InterceptRequest['action'] {
  return action === 'apply' && command.cleanupOnly ? 'cleanup' : action;
}

async function plan(
  { options }: ReadSettings,
  { out }: InterceptStreams,
  { format }: InterceptRequest,
): Promise<ExitCode> {
  out(renderPlan(planInterception(options, familiesFor(options)), format));
  return await Promise.resolve(EXIT.ok);
}

async function apply(settings: ReadSettings, streams: InterceptStreams, request: InterceptRequest): Promise<ExitCode> {
  const { options, command } = settings;
  if (command.dryRun) {
    return await plan(settings, streams, { ...request, format: command.backend === 'nft' ? 'nft' : 'iptables' });
  }
  const { interception, backend, hasChanged } = await aloneInNamespace(systemPorts().timers, async () => {
    const opened = await Interception.open(options, command);
    return { interception: opened, ...(await opened.apply(command)) };
  });
  const { rules, families } = interception.plan;
  const what = `${rules.length} rules for ${families.map((family) => NAMES[family]).join(' and ')} in ${backend}`;
  streams.out(`mesher intercept: ${hasChanged ? what : `nothing to change, ${what}`}\n`);
  return command.verifyAfter ? await verifyThrough(interception, settings, streams) : EXIT.ok;
}

const NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const;

async function verify(settings: ReadSettings, streams: InterceptStreams): Promise<ExitCode> {
  const interception = await Interception.open(settings.options, settings.command);
  return await verifyThrough(interception, settings, streams);
}

async function verifyThrough(
  interception: Interception,
  { options, command }: ReadSettings,
  { out, err }: InterceptStreams,
): Promise<ExitCode> {
  const { timers } = systemPorts();
  const findings = await verifyInterception(interception, options, command, { timers });
  for (const { state, text } of findings) (state === 'broken' ? err : out)(`${state}: ${text}\n`);
  if (findings.every(({ state }) => state !== 'broken')) return EXIT.ok;
  const isApplied = findings[0]?.state === 'holds';
  const advice = isApplied
    ? 'they are there, so something else stands in the way: look for rules of a firewall, or of others before them (nft list ruleset, iptables-save)'
    : 'run mesher intercept apply in this network namespace';
  err(`mesher intercept: the rules do not hold; ${advice}\n`);
  return EXIT.notIntercepted;
}

async function cleanup({ options, command }: ReadSettings, { out }: InterceptStreams): Promise<ExitCode> {
  // What is ours may be removed everywhere.
  const open = (): Promise<Interception> => Interception.open(options, { ...command, hostNetwork: true });
  if (command.dryRun) {
    out((await (await open()).cleanupText()) || '# there is nothing of ours\n');
    return EXIT.ok;
  }
  const removed = await aloneInNamespace(systemPorts().timers, async () => await (await open()).cleanup());
  out(
    `mesher intercept: ${removed.length === 0 ? 'there was nothing to remove' : `removed from ${removed.join(', ')}`}\n`,
  );
  return EXIT.ok;
}

/** The same command in another network namespace. */
async function runInside(path: string, { action, flags }: InterceptRequest): Promise<ExitCode> {
  const others = [...flags].filter(([flag]) => flag !== 'network-namespace');
  const args = others.map(([flag, value]) => `--${flag}=${value}`);
  const script = process.argv[1] ?? '';
  const env = { ...process.env, NETWORK_NAMESPACE: '', MESHER_INTERCEPT_NETWORK_NAMESPACE: '' };
  const command = [`--net=${path}`, process.execPath, script, 'intercept', action, ...args];
  return await new Promise((resolve, reject) => {
    const child = spawn('nsenter', command, { env, stdio: 'inherit' });
    child.once('error', (error) => {
      reject(new InterceptError('INTERCEPT_NO_PROGRAM', `--network-namespace needs nsenter (${error.message})`));
    });
    child.once('close', (code) => resolve(Object.values(EXIT).find((known) => known === code) ?? EXIT.failed));
  });
}

/** Only where the environment of the sidecar is given: reading its configuration takes longer than all the rest. */
async function portsOfSidecar(env: NodeJS.ProcessEnv, { err }: InterceptStreams): Promise<readonly number[]> {
  if (!env['CHASSIS_CONF_DIR'] && !env['CHASSIS_HOME']) return [];
  const { configuredPorts } = await import('./configured-ports.js');
  return await configuredPorts(env, (why) =>
    err(`mesher intercept: ports that the sidecar moves are not left alone unless --own-ports names them: ${why}\n`),
  );
}

function readResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return '';
  }
}
