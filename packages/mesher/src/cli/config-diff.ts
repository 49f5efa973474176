import { formatProblems, isMeshError, restartKeyOf, type ConfigChange, type LoadedConfiguration } from '@mesher/core';
import { resolve } from 'node:path';
import { load } from '../sidecar/load.js';
import { counted } from './counted.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { requireFolder } from './given-folder.js';
import { readRunningConfig, type RunningConfig } from './running-config.js';

export interface DiffRequest {
  /** The folder that might take effect. */
  readonly dir: string;
  /** The folder to compare with; the running sidecar when left out. */
  readonly base?: string | undefined;
  /** Admin address of the running sidecar. */
  readonly admin: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * `mesher config diff`: prints key by key what would change, with file and line, and which changes need a restart.
 * @param print takes the text for the terminal
 * @param complain takes why there is none
 * @returns 0 for the same, 1 for a difference, 2 when nobody is there to compare with, 3 for a folder with mistakes
 */
export async function diffConfigurations(
  request: DiffRequest,
  print: (text: string) => void,
  complain: (text: string) => void,
): Promise<ExitCode> {
  const next = await read(request.dir, request.env, print, complain);
  if (next === undefined) return EXIT.configuration;
  if (request.base !== undefined) {
    const base = await read(request.base, request.env, print, complain);
    if (base === undefined) return EXIT.configuration;
    return report({ changes: base.asRunning.changesTo(next.asRunning), notes: [], hidden: false }, print);
  }
  let running: RunningConfig;
  try {
    running = await readRunningConfig(request.admin);
  } catch (error) {
    if (!isMeshError(error)) throw error;
    complain(`mesher: ${error.message}\n`);
    // Not 1: a script would take it for a difference.
    return EXIT.usage;
  }
  return report(changesToRunning(running, next), print);
}

interface Difference {
  readonly changes: readonly ConfigChange[];
  /** What to say besides. */
  readonly notes: readonly string[];
  /** Something differs that is not among the changes, since it is not shown. */
  readonly hidden: boolean;
}

/** A folder without mistakes. */
type Readable = LoadedConfiguration & { readonly asRunning: NonNullable<LoadedConfiguration['asRunning']> };

async function read(
  dir: string,
  env: DiffRequest['env'],
  print: (text: string) => void,
  complain: (text: string) => void,
): Promise<Readable | undefined> {
  try {
    await requireFolder(dir);
    const { configuration } = await load({ confDir: resolve(dir), env });
    const { asRunning, errors, notices } = configuration;
    // A mistyped key makes no difference, which is just what its author should hear.
    const unknown = notices.filter(({ kind }) => kind === 'unknown-key');
    if (unknown.length > 0) print(`${formatProblems(unknown)}\n`);
    if (asRunning !== undefined) return { ...configuration, asRunning };
    complain(`${formatProblems(errors)}\n${dir}: ${counted(errors.length, 'error')}\n`);
  } catch (error) {
    if (!isMeshError(error)) throw error;
    complain(`${dir}: ${error.message}\n`);
  }
  return undefined;
}

function changesToRunning(running: RunningConfig, next: Readable): Difference {
  const shown = next.asRunning.shown();
  const changes: ConfigChange[] = [];
  const fromSource: string[] = [];
  for (const key of [...new Set([...running.keys.keys(), ...shown.keys()])].sort()) {
    const before = running.keys.get(key);
    const after = shown.get(key);
    if (before?.value === after?.value) continue;
    // What a config source says wins over files, so a change of the files changes nothing about it.
    if (running.source !== undefined && before?.at.startsWith(`${running.source}: `) === true) fromSource.push(key);
    else changes.push({ key, before, after, restart: restartKeyOf(key)?.because });
  }
  const hidden = changes.length === 0 && running.source === undefined && next.document?.hash !== running.hash;
  const notes: string[] = [];
  if (fromSource.length > 0) {
    notes.push(`what ${running.source} says stays: ${fromSource.join(', ')}`);
  }
  if (hidden) notes.push('the contents differ in a value that is not shown (a secret)');
  return { changes, notes, hidden };
}

function report({ changes, notes, hidden }: Difference, print: (text: string) => void): ExitCode {
  for (const { key, before, after, restart } of changes) {
    print(`${key}\n`);
    if (before !== undefined) print(`  - ${indent(before.value)}   (${before.at})\n`);
    if (after !== undefined) print(`  + ${indent(after.value)}   (${after.at})\n`);
    if (restart !== undefined) print(`  needs a restart: ${restart}\n`);
  }
  for (const note of notes) print(`note: ${note}\n`);
  if (changes.length === 0) {
    print(hidden ? '' : 'no difference\n');
    return hidden ? EXIT.failed : EXIT.ok;
  }
  const restarts = changes.filter(({ restart }) => restart !== undefined).length;
  const keys = changes.length === 1 ? '1 key differs' : `${changes.length} keys differ`;
  print(`${keys}; ${restarts === 0 ? 'none needs a restart' : `a restart is needed for ${restarts}`}\n`);
  return EXIT.failed;
}

/** Texts of several lines below each other. */
function indent(value: string): string {
  return value.trimEnd().replaceAll('\n', '\n    ');
}
