import { systemPorts, type PlacedValue } from '@mesher/core';

/** The configuration of a sidecar on this machine comes within milliseconds. */
const LONGEST_WAIT_MS = 10_000;

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
 * @throws Error that says what to do when nobody answers, or somebody else does
 */
export async function readRunningConfig(admin: string): Promise<RunningConfig> {
  const base = admin.includes('://') ? admin : `http://${admin}`;
  const abort = new AbortController();
  const timer = systemPorts().timers.after(LONGEST_WAIT_MS, () => abort.abort());
  let answer: unknown;
  try {
    const response = await fetch(new URL('/config', base), { signal: abort.signal });
    answer = await response.json();
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    throw new Error(
      `no sidecar answers at ${admin} (${cause?.code ?? String(error)}). Is it running? Its log names the admin address ("ready"); ` +
        'pass it with --admin HOST:PORT, or give two folders to compare',
      { cause: error },
    );
  } finally {
    timer.cancel();
  }
  const config = readAnswer(answer);
  if (config === undefined) throw new Error(`${admin} answers, but it is no admin port of a sidecar`);
  return config;
}

function readAnswer(answer: unknown): RunningConfig | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { hash, folder, source, keys } = answer as Readonly<Record<string, unknown>>;
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
