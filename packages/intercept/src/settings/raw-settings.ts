import { ALL_SETTINGS, UNSUPPORTED, ownVariable, type SettingName } from './setting-table.js';

/** A value as it was written, and where. */
export interface RawValue {
  readonly text: string;
  /** `--uid` or `NETRA_SIDECAR_USER_ID`. */
  readonly from: string;
}

export interface RawSettings {
  readonly values: ReadonlyMap<SettingName, RawValue>;
  readonly problems: readonly string[];
  /** What was said and has no effect. */
  readonly notices: readonly string[];
}

/** Variables of netramesh's sidecar, which its init container does not read: known, and not for us. */
const SIDECAR_VARIABLE =
  /^NETRA_(?:LOGGER_LEVEL|PORT|PPROF_PORT|PROMETHEUS_PORT|TRACING_.*|ROUTING_.*|HTTP_.*|STATSD_.*)$/;
/** Names that only an init container has. */
const OURS = /^(?:NETRA_|MESHER_INTERCEPT_|ISTIO_(?:INBOUND|OUTBOUND|SERVICE|LOCAL|EXCLUDE)_)/;

/**
 * Gathers what was said: flags first, then the variables of Mesher, netramesh and Istio. An empty variable is none; an empty flag is a
 * value (`--istio-service-exclude-cidr ""`).
 * @param flags by the name of the setting; `true` for a switch
 */
export function gatherSettings(
  flags: ReadonlyMap<string, string | boolean>,
  env: Readonly<Record<string, string | undefined>>,
): RawSettings {
  const values = new Map<SettingName, RawValue>();
  const problems: string[] = [];
  for (const setting of ALL_SETTINGS) {
    const flag = flags.get(setting.flag);
    if (flag !== undefined) {
      values.set(setting.flag, { text: String(flag), from: `--${setting.flag}` });
      continue;
    }
    const said = [ownVariable(setting.flag), ...(setting.env ?? [])].flatMap((from) => {
      const text = env[from]?.trim() ?? '';
      return text === '' ? [] : [{ from, text }];
    });
    const [first, ...others] = said;
    if (first === undefined) continue;
    values.set(setting.flag, first);
    const other = others.find(({ text }) => text !== first.text);
    if (other !== undefined) {
      problems.push(`${first.from}=${first.text} and ${other.from}=${other.text} are one setting; unset one of them`);
    }
  }
  const unsupported = unsupportedWords(flags, env);
  return {
    values,
    problems: [...problems, ...unsupported.problems],
    notices: [...unsupported.notices, ...unknownVariables(env)],
  };
}

function unsupportedWords(
  flags: ReadonlyMap<string, string | boolean>,
  env: Readonly<Record<string, string | undefined>>,
): { readonly problems: string[]; readonly notices: string[] } {
  const problems: string[] = [];
  const notices: string[] = [];
  for (const { flags: written, env: variable, refused, why } of UNSUPPORTED) {
    const name = flagName(written[0]);
    const value = flags.get(name) ?? env[variable]?.trim();
    if (value === undefined || value === '' || value === false || value === 'false') continue;
    (refused ? problems : notices).push(`${flags.has(name) ? `--${name}` : variable}: ${why}`);
  }
  return { problems, notices };
}

function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set<string>(ALL_SETTINGS.flatMap(({ flag, env: names = [] }) => [ownVariable(flag), ...names]));
  return Object.keys(env)
    .filter((name) => OURS.test(name) && !known.has(name) && !SIDECAR_VARIABLE.test(name))
    .map((name) => `${name} is no variable of interception; mesher intercept plan --help lists them`);
}

/** `kube-virt-interfaces` of `-k, --kube-virt-interfaces`, and `n` of `-n`. */
export function flagName(written: string): string {
  return /--([\w-]+)/.exec(written)?.[1] ?? written.replace(/^-/, '');
}
