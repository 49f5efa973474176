import type { Ports } from '@mesher/core';
import type { AgentStore } from '../store/agent-store.js';
import type { Steering } from '../steering.js';
import { bad } from './agent-error.js';
import { goDuration, type Indexed } from './call.js';
import type { Answer } from './listener.js';

/** Without `?wait`, and the longest that may be asked for. */
const DEFAULT_WAIT_MS = 300_000;
const MAX_WAIT_MS = 600_000;
/** A share of the wait that Consul adds by chance, so that queries that began together do not end together. */
const JITTER_SHARE = 1 / 16;

/** What blocking needs to know about a request. */
export interface BlockingQuery {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly isAnonymous: boolean;
  readonly gone: AbortSignal;
}

/**
 * Answers a query as Consul does: at once without `?index`, otherwise when the index of what is read is beyond it, or when the wait is
 * over, whatever the index is then.
 * @throws AgentError 400 for a wait or an index that is none
 */
export async function answerBlocking(
  { path, query, isAnonymous, gone }: BlockingQuery,
  store: AgentStore,
  steering: Steering,
  ports: Ports,
  read: () => Indexed,
): Promise<Answer> {
  const wait = query.get('wait') || '0s';
  const waitMs = goDuration(wait) ?? bad('Invalid wait time');
  const text = query.get('index') || '0';
  const known = /^\d+$/.test(text) ? Number(text) : bad('Invalid index');
  let result = read();
  if (known > 0 && result.index <= known) {
    const limit = Math.min(waitMs === 0 ? DEFAULT_WAIT_MS : waitMs, MAX_WAIT_MS);
    const isOver = (): boolean => {
      result = read();
      return result.index > known;
    };
    steering.held++;
    steering.changed();
    await untilChange(store, ports, limit * (1 + JITTER_SHARE * ports.random.next()), isOver, gone);
    steering.held--;
    steering.changed();
    result = read();
  }
  const { index, filtered = false, ...answer } = result;
  return {
    ...answer,
    headers: {
      // An index of 0 would not block, and clients would ask without end.
      'x-consul-index': String(Math.max(index, 1)),
      'x-consul-lastcontact': '0',
      ...backendHeaders(path, query, known),
      ...(filtered && !isAnonymous && !isStreamed(path, query, known)
        ? { 'x-consul-results-filtered-by-acls': 'true' }
        : {}),
      ...answer.headers,
    },
  };
}

/**
 * Since 1.10 health that is followed comes from another backend than what is asked for once, and that one says neither that there is a
 * leader nor that something is left out. It does not know distances, so `near` is answered by the old one.
 */
function isStreamed(path: string, query: URLSearchParams, known: number): boolean {
  return path.startsWith('/v1/health/service/') && known > 0 && !query.has('near');
}

function backendHeaders(path: string, query: URLSearchParams, known: number): Readonly<Record<string, string>> {
  const isFollowed = isStreamed(path, query, known);
  return {
    'x-consul-knownleader': String(!isFollowed),
    'x-consul-query-backend': isFollowed ? 'streaming' : 'blocking-query',
    'x-consul-effective-consistency': ['stale', 'consistent'].find((mode) => query.has(mode)) ?? 'leader',
  };
}

async function untilChange(
  store: AgentStore,
  ports: Ports,
  limitMs: number,
  isOver: () => boolean,
  gone: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      timer.cancel();
      forget();
      gone.removeEventListener('abort', end);
      resolve();
    };
    const forget = store.onChange(() => {
      if (isOver()) end();
    });
    const timer = ports.timers.after(limitMs, end);
    gone.addEventListener('abort', end, { once: true });
    if (gone.aborted) end();
  });
}
