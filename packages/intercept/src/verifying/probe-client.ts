import { connect } from 'node:net';
import type { Timers } from '@mesher/core';
import type { ProbeTarget } from './probe-targets.js';

/** What became of a probe. */
export type ProbeResult =
  | { readonly kind: 'accepted'; readonly clientPort: number }
  /** Somebody said no, or nobody answered: the rules did not bring it to a listener. */
  | { readonly kind: 'refused' | 'no-answer' }
  /** There is no way there, so that the rules were not asked at all. */
  | { readonly kind: 'unreachable' };

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'EINVAL',
  'EAFNOSUPPORT',
]);

/** What an error of connect means. */
export function resultOfError(code: string): ProbeResult {
  if (code === 'ETIMEDOUT') return { kind: 'no-answer' };
  return { kind: UNREACHABLE.has(code) ? 'unreachable' : 'refused' };
}

/** Connects, and says no word. */
export function probe({ address, port }: ProbeTarget, timeoutMs: number, timers: Timers): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const timer = timers.after(timeoutMs, () => {
      resolve({ kind: 'no-answer' });
      socket.destroy();
    });
    socket.once('connect', () => {
      resolve({ kind: 'accepted', clientPort: socket.localPort ?? 0 });
      // An end, no reset: a listener that has not looked yet would not learn who came. The timer destroys what is not ended by then.
      socket.resume();
      socket.end();
    });
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(resultOfError(code)));
    socket.once('close', () => timer.cancel());
  });
}
