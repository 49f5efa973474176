import { backoff, jittered, pause, type Ports, type RetryPauses } from '@mesher/core';
import type { Indexed } from './blocking-answer.js';
import { codeOf } from './consul-error.js';

/** What is asked: everything at once with index 0, otherwise as soon as there is something newer than `index`. */
export interface Question {
  readonly index: bigint;
  /** How long Consul may hold back the answer, in milliseconds; 0 for not at all. */
  readonly waitMs: number;
}

export interface BlockingQuery<T> {
  ask(question: Question, signal: AbortSignal): Promise<Indexed<T>>;
  /** Takes every answer, also one that says the same again; the next question is asked when it has resolved. An error is trouble. */
  take(answer: Indexed<T>): void | Promise<void>;
  /** Told of every failure; everything is asked for anew after a pause. @param failures in a row, this one included */
  onTrouble(error: unknown, failures: number): void;
  /** Whether a question failed only because it has to be asked anew at once; that is no trouble. Left out, none does. */
  isOutdated?(error: unknown): boolean;
  /** How to ask at this moment. */
  pace(): Pace;
}

export interface Pace {
  /** Longest time that Consul may hold back an answer; 0 while there is no room for another held question. */
  readonly waitMs: number;
  /** Shortest time from one question to the next. */
  readonly intervalMs: number;
}

export interface QueryPauses extends RetryPauses {
  /** Longest pause before the first question after one that failed while all was well, at most `maxRetryDelay`; milliseconds. */
  readonly reconnectSpread: number;
  /** Bytes of answers that are read in a second, on average: after a long one the next question waits. */
  readonly readRate: number;
}

/** Share by which the time between two questions varies, so that many who saw the same change do not ask together. */
const JITTER = 0.2;

/**
 * Follows something in Consul until `signal` aborts; never rejects. One question at a time; after trouble with growing pauses, and
 * anew with index 0. The rules are those of https://developer.hashicorp.com/consul/api-docs/features/blocking: an index that goes back
 * makes the next question one for everything, and an answer need not mean that anything changed.
 */
export async function followQuery<T>(
  query: BlockingQuery<T>,
  ports: Ports,
  pauses: QueryPauses,
  signal: AbortSignal,
): Promise<void> {
  let index = 0n;
  let failures = 0;
  let wasWell = false;
  while (!signal.aborted) {
    const { waitMs, intervalMs } = query.pace();
    const askedAt = ports.clock.now();
    let readingMs = 0;
    try {
      const answer = await query.ask({ index: waitMs === 0 ? 0n : index, waitMs: index === 0n ? 0 : waitMs }, signal);
      if (signal.aborted) return;
      await query.take(answer);
      failures = 0;
      wasWell = true;
      readingMs = (answer.bytes / pauses.readRate) * 1000;
      index = answer.index < index ? 0n : answer.index;
    } catch (error) {
      if (signal.aborted) return;
      index = 0n;
      if (query.isOutdated?.(error) === true) continue;
      query.onTrouble(error, ++failures);
      // What is refused stays refused for a while, and whoever asks often is in the way of others.
      const isRefused = codeOf(error) === 'CONSUL_DENIED' || codeOf(error) === 'CONSUL_REFUSED';
      // An agent that restarts ends the held questions of all its clients in one moment.
      const bounds = wasWell ? { ...pauses, minRetryDelay: pauses.reconnectSpread } : pauses;
      wasWell = false;
      await pause(ports, isRefused ? jittered(ports, pauses.maxRetryDelay) : backoff(ports, failures, bounds), signal);
      continue;
    }
    const rest = askedAt + jittered(ports, intervalMs, JITTER) - ports.clock.now();
    // An answer holds all instances, whatever changed of them: a large service that never rests would take all of the processor.
    const wait = Math.max(rest, jittered(ports, readingMs, JITTER));
    if (wait > 0) await pause(ports, wait, signal);
  }
}
