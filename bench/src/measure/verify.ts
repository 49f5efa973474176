import type { RunningCandidate } from '../candidates/running.js';
import { fetchOnce } from '../net/http-check.js';
import { LARGE_PATH, MEDIUM_PATH, SEEN_PATH, SMALL_PATH } from '../upstream/bodies.js';
import type { Upstream } from '../upstream/upstream.js';
import { verifyHttp2 } from './verify-http2.js';

/** Headers which every HTTP candidate is asked to add. */
const ASKED_HEADERS = ['x-request-id', 'x-forwarded-for'];

/** What a check before the measuring came to. */
export interface Verdict {
  /** Why the candidate must not be measured. */
  readonly error?: string;
  /** How it does less than was asked; it is measured, and the report says so. */
  readonly remarks: readonly string[];
}

/** Fetches every body through the candidate and holds it against what the upstream gives directly. */
export async function verify(running: RunningCandidate, upstream: Upstream): Promise<Verdict> {
  try {
    return running.candidate.layer === 'h2'
      ? await verifyHttp2(running, upstream)
      : await verifyHttp1(running, upstream.httpPort);
  } catch (error) {
    return { error: (error as Error).message, remarks: [] };
  }
}

async function verifyHttp1(running: RunningCandidate, upstreamPort: number): Promise<Verdict> {
  for (const path of [SMALL_PATH, MEDIUM_PATH, LARGE_PATH]) {
    const direct = await fetchOnce(upstreamPort, path);
    const through = await fetchOnce(running.port, path);
    if (through.status !== 200) return { error: `${path} answered ${through.status}`, remarks: [] };
    if (through.digest !== direct.digest) {
      return { error: `${path} arrived changed (${through.bytes} of ${direct.bytes} bytes)`, remarks: [] };
    }
  }
  if (running.candidate.layer !== 'l7') return { remarks: [] };
  const { text } = await fetchOnce(running.port, SEEN_PATH);
  return { remarks: missingWork(running, text) };
}

/** What was asked of every candidate and is not in the headers that the upstream saw. */
export function missingWork(running: RunningCandidate, seen: string): string[] {
  return ASKED_HEADERS.filter((name) => !new RegExp(`^${name}: *\\S`, 'im').test(seen)).map(
    (name) => `${running.candidate.id} does not add ${name}`,
  );
}
