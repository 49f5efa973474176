import { formatDuration, type HealthChecker, type HealthResult, type LocalTarget, type Ports } from '@mesher/core';
import { readResult } from './read-result.js';

/** An application listens on IPv4 loopback or on that of IPv6 (Node's `listen(8080, 'localhost')`). */
export const LOOPBACKS = ['127.0.0.1', '::1'] as const;

/**
 * Asks once, on the other loopback address too when nobody listens on the first one. Never rejects.
 * @param ended told when the checker is really done; one that does not heed its signal may go on after the result
 * @param stop gives the check up
 */
export async function runCheck(
  checker: HealthChecker,
  target: Omit<LocalTarget, 'host'>,
  timeoutMs: number,
  ports: Ports,
  stop: AbortSignal,
  ended: () => void,
): Promise<HealthResult> {
  const inner = new AbortController();
  const asked = askBoth(checker, target, inner.signal).catch(failed);
  void asked.then(ended);
  return await within(asked, timeoutMs, ports, stop, (detail) => {
    inner.abort(new Error(detail));
    return detail;
  });
}

/**
 * Lets a checker get ready. Never rejects.
 * @returns why it is not; undefined when it is
 */
export async function prepareChecker(
  checker: HealthChecker,
  limitMs: number,
  ports: Ports,
  stop: AbortSignal,
  ended: () => void,
): Promise<HealthResult | undefined> {
  const prepared = (async () => await checker.prepare?.())().then(
    () => undefined,
    (error: unknown) => ({ ...failed(error), detail: `the checker cannot be loaded: ${failed(error).detail}` }),
  );
  void prepared.then(ended);
  return await within(prepared, limitMs, ports, stop, (detail) => `the checker is not ready: ${detail}`);
}

async function within<T>(
  work: Promise<T>,
  limitMs: number,
  ports: Ports,
  stop: AbortSignal,
  giveUp: (why: string) => string,
): Promise<T | HealthResult> {
  let end!: (result: HealthResult) => void;
  const over = new Promise<HealthResult>((resolve) => (end = resolve));
  const abort = (why: string): void => end({ healthy: false, detail: giveUp(why) });
  const onStop = (): void => abort('the check was given up');
  const timer = ports.timers.after(limitMs, () => abort(`no answer within ${formatDuration(limitMs)}`));
  stop.addEventListener('abort', onStop, { once: true });
  if (stop.aborted) onStop();
  try {
    return await Promise.race([over, work]);
  } finally {
    timer.cancel();
    stop.removeEventListener('abort', onStop);
  }
}

async function askBoth(
  checker: HealthChecker,
  target: Omit<LocalTarget, 'host'>,
  signal: AbortSignal,
): Promise<HealthResult> {
  const ask = async (host: string): Promise<HealthResult> =>
    readResult(await checker.check({ ...target, host }, signal));
  const first = await ask(LOOPBACKS[0]);
  if (first.healthy || first.refused !== true || signal.aborted) return first;
  const second = await ask(LOOPBACKS[1]);
  return second.refused === true ? { ...second, detail: `nobody listens on port ${target.port}` } : second;
}

function failed(error: unknown): HealthResult {
  return { healthy: false, detail: error instanceof Error ? error.message : String(error) };
}
