import { ALL_SETTINGS, UNSUPPORTED, flagName, ownVariable } from '@mesher/intercept/settings';
import { Argument, Option, type Command } from 'commander';
import type { InterceptRequest } from './intercept.js';
import type { SetExit } from './program.js';

/** Declares `mesher intercept` with all names that its settings have. */
export function declareIntercept(program: Command, setExit: SetExit): void {
  const command = program
    .command('intercept')
    .allowExcessArguments(false)
    .description(
      'send the connections of a pod, container or namespace through the sidecar with rules of iptables or nftables, without the programs knowing: plan prints the rules (no root needed), apply makes them be there, verify connects through them and exits 126 when they do not hold, cleanup removes them; names of netramesh and istio-iptables are taken as well',
    )
    .addArgument(new Argument('<action>', 'plan, apply, verify or cleanup').choices(ACTIONS))
    .addOption(
      new Option('--format <format>', 'plan: table, iptables, nft or json')
        .choices(['table', 'iptables', 'nft', 'json'])
        .default('table'),
    );
  for (const { flag, value, doc, fallback, aliases = [], env = [] } of ALL_SETTINGS) {
    const taken = value ?? '[boolean]';
    const option = new Option(`--${flag} ${taken}`, describe(doc, [...aliases, ...env]));
    // Not a default of the option: a variable may say otherwise.
    if (fallback !== undefined) option.description += `; ${fallback === '*' ? 'all' : fallback} when left out`;
    command.addOption(option);
    for (const alias of aliases) command.addOption(new Option(`${alias} ${taken}`, `--${flag}`).hideHelp());
  }
  for (const { flags, why } of UNSUPPORTED) {
    for (const flag of flags) command.addOption(new Option(`${flag} [value]`, why).hideHelp());
  }
  command.addHelpText('after', HELP_TAIL).action(async (action: InterceptRequest['action'], _: unknown) => {
    const { runIntercept } = await import('./intercept.js');
    const { stdout, stderr, env } = process;
    const { format, ...given } = command.opts<{ format: InterceptRequest['format'] } & Given>();
    const request = { action, format, flags: flagsOf(given) };
    setExit(await runIntercept(request, env, { out: (text) => stdout.write(text), err: (text) => stderr.write(text) }));
  });
}

type Given = Readonly<Record<string, string | boolean | undefined>>;

const ACTIONS = ['plan', 'apply', 'verify', 'cleanup'] as const;

const HELP_TAIL = `
Every option has a variable, ${ownVariable('outbound-ports')} for --outbound-ports; those of netramesh (NETRA_SIDECAR_PORT, INBOUND_INTERCEPT_PORTS, ...)
and istio-iptables (ISTIO_INBOUND_PORTS, PROXY_UID, ...) are read, too, and so are the flags of istio-iptables and linkerd's proxy-init.

Examples:
  $ mesher intercept plan --exclude-outbound-ports 5432
  $ sudo mesher intercept apply --uid 1337
  $ sudo mesher intercept apply -p 15001 -z 15006 -u 1337 -m REDIRECT -i '*' -x "" -b '*' -d 15090,15021,15020`;

function describe(doc: string, otherNames: readonly string[]): string {
  return otherNames.length === 0 ? doc : `${doc} (also ${otherNames.join(', ')})`;
}

/** What was said, by the flag of the setting; its own name counts before others. */
function flagsOf(given: Given): ReadonlyMap<string, string | boolean> {
  const flags = new Map<string, string | boolean>();
  const take = (flag: string, names: readonly string[]): void => {
    const value = names.map((name) => given[camelCase(name)]).find((said) => said !== undefined);
    if (value !== undefined) flags.set(flag, value);
  };
  for (const { flag, aliases = [] } of ALL_SETTINGS) take(flag, [flag, ...aliases.map(flagName)]);
  for (const { flags: written } of UNSUPPORTED) for (const flag of written) take(flagName(flag), [flagName(flag)]);
  return flags;
}

/** How commander names the value of a flag. */
function camelCase(flag: string): string {
  return flag.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
