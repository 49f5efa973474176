import type { Candidate } from '../candidates/candidate.js';
import type { Flags } from '../cli/flags.js';

/** What a run was made with. */
export interface Setting {
  readonly flags: Flags;
  readonly pinned: boolean;
  readonly upstream: string;
  readonly load: string;
}

/** The versions of everything that took part. */
export function versionLines(candidates: readonly Candidate[], load: string): readonly string[] {
  return [
    `Candidates: ${candidates.map(({ label }) => label).join('; ')}`,
    `Load: ${load}; Node.js ${process.versions.node} runs the sidecar and the bench`,
  ];
}

/** The method in short. */
export function methodLines({ flags, pinned, upstream, load }: Setting): readonly string[] {
  return [
    pinned
      ? `Each candidate is pinned to core 0; ${upstream} and the load (${load}, one thread) share core 1. All on 127.0.0.1.`
      : 'NOT PINNED: taskset or a second core is missing here; candidates, upstream and load disturb one another.',
    `All candidates stay alive and are measured in turn (A B C ... A B C ...), ${flags.rounds} ${flags.rounds === 1 ? 'round' : 'rounds'} of ${flags.seconds} s; ` +
      'figures are medians, in brackets the least sample. Ratios are median over median. Differences below 10 % mean nothing.',
    'CPU is utime + stime of the candidate, all threads and children, over the requests completed (or over the GB moved). ' +
      'The kernel counts it in ticks of 10 ms: at 1,000 requests/s that is coarse.',
    'One worker each: nginx one process, HAProxy nbthread 1, Envoy --concurrency 1, mesher one process.',
    'Every HTTP candidate drops hop-by-hop headers, adds X-Request-Id and X-Forwarded-For, keeps connections alive on both ' +
      'sides and writes no access log; the sidecar also runs the handlers which its line names. The request has 6 headers, about 430 bytes.',
    'HTTP/2 and gRPC, without TLS on both sides: calls by h2load (one thread). Unary calls are POSTs with a message of 100 B, answered with head, ' +
      'message and trailers by a gRPC server of the bench; GETs are answered by nginx. Before and after each sample the upstream is asked how many it answered: fewer than ' +
      'h2load counts as succeeded make the sample INVALID, so that errors that a proxy answers by itself do not pass as calls. Buffers and windows of the peers are their defaults.',
    'Requests/s of the fast candidates is bounded by core 1. p99 at 64 connections is queueing at saturation, not latency of the proxy; ' +
      'the row with 1,000 requests/s shows latency.',
    'Before measuring, every body is fetched through every candidate and compared. A sample with a socket error, a timeout or a ' +
      'status other than 2xx is INVALID and not counted.',
    `Start: ${flags.starts} fresh ${flags.starts === 1 ? 'instance' : 'instances'} until the first 200 (the sidecar: until /ready says so). Memory is read right after each sample; ` +
      'a runtime with a garbage collector keeps what a row made it take, so the greatest value comes from the harshest row before. Idle connections made one request each; memory of sockets in the kernel is not included.',
    'MB and GB are powers of ten.',
  ];
}
