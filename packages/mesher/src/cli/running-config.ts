import type { PlacedValue } from '@mesher/core';
import { askAdmin, unanswered } from './ask-admin.js';

/** What a running sidecar says about its configuration. */
export interface RunningConfig {
  /** Of the whole content, secrets included. */
  readonly hash: string;
  readonly folder: string;
  /** Its config source; undefined when it has none. */
  readonly source: string | undefined;
  readonly keys: ReadonlyMap<string, PlacedValue>;
}

/**
 * Asks the admin port of a running sidecar for its configuration.
 * @param admin `host:port`
 * @throws MeshError that says what to do when nobody answers, or somebody else does
 */
export async function readRunningConfig(admin: string): Promise<RunningConfig> {
  const otherwise = 'Without a sidecar: mesher config diff DIR OTHER';
  const config = readAnswer((await askAdmin({ admin, path: '/config', otherwise })).value);
  if (config === undefined) throw unanswered(`${admin} answers, but it is no admin port of a sidecar`);
  return config;
}

function readAnswer(answer: object | undefined): RunningConfig | undefined {
  const { hash, folder, source, keys } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof hash !== 'string' || typeof folder !== 'string' || typeof keys !== 'object' || keys === null) {
    return undefined;
  }
  const values = new Map<string, PlacedValue>();
  for (const [key, entry] of Object.entries(keys as Readonly<Record<string, { value?: unknown; from?: unknown }>>)) {
    values.set(key, { value: String(entry.value), at: String(entry.from) });
  }
  const name = (source as { name?: unknown } | null | undefined)?.name;
  return { hash, folder, source: typeof name === 'string' ? name : undefined, keys: values };
}
