import { formatDuration, type HealthChecker, type HealthResult, type LocalTarget, type Ports } from '@mesher/core';

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
  let giveUp!: (result: HealthResult) => void;
  const over = new Promise<HealthResult>((resolve) => (giveUp = resolve));
  const abort = (detail: string): void => {
    giveUp({ healthy: false, detail });
    inner.abort(new Error(detail));
  };
  const onStop = (): void => abort('the check was given up');
  const timer = ports.timers.after(timeoutMs, () => abort(`no answer within ${formatDuration(timeoutMs)}`));
  stop.addEventListener('abort', onStop, { once: true });
  if (stop.aborted) onStop();
  const asked = askBoth(checker, target, inner.signal).catch((error: unknown): HealthResult => ({
    healthy: false,
    detail: error instanceof Error ? error.message : String(error),
  }));
  void asked.then(ended);
  try {
    return await Promise.race([over, asked]);
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
  const first = await checker.check({ ...target, host: LOOPBACKS[0] }, signal);
  if (first.healthy || first.refused !== true || signal.aborted) return first;
  const second = await checker.check({ ...target, host: LOOPBACKS[1] }, signal);
  return second.refused === true ? { ...second, detail: `nobody listens on port ${target.port}` } : second;
}
