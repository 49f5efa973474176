import type { InterceptOptions } from '../settings/intercept-options.js';
import { readSettings } from '../settings/read-settings.js';

/** The options that a command line stands for: `--uid 5 --redirect-dns`; quotes are not known. */
export function optionsOf(line = '', env: Readonly<Record<string, string>> = {}): InterceptOptions {
  return readSettings({ flags: flagsOf(line), env, resolvConf: () => '' }).options;
}

/** The flags of a command line by name. */
export function flagsOf(line: string): ReadonlyMap<string, string | boolean> {
  const flags = new Map<string, string | boolean>();
  for (const [, flag = '', value] of line.matchAll(/--([\w-]+)(?: (?!--)(\S+))?/g)) flags.set(flag, value ?? true);
  return flags;
}
