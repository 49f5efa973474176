import { setFlagsFromString } from 'node:v8';
import type { TimerHandle, Timers } from '@mesher/core';
import type { ProxyStats } from '@mesher/proxy';
import { holdYoungGeneration, sizeYoungGeneration } from './young-generation.js';

/** Connections of HTTP/1 and TCP of which the calls under way fill a young generation of a megabyte; 256 do not, measured. */
const MANY_CONNECTIONS = 512;
/** The young generation may be small for so long under load: a wake-up each second costs nothing, and neither does a second of promotions. */
const LOOK_EVERY_MS = 1_000;

/**
 * Sets V8 for loading a program, which runs nearly every function once: nothing is compiled by the optimizing compiler, whose work on
 * the module loader would be thrown away (measured: 8 to 10 MB of memory that the allocator keeps afterwards, and a fifth of the CPU
 * time until ready), and the young generation does not grow by what is loaded. To be called before anything else is loaded;
 * {@link endStart} must follow.
 */
export function beginStart(): void {
  setFlagsFromString('--no-opt');
  holdYoungGeneration();
}

/** Lets V8 optimize again. To be called before the first call is served. */
export function endStart(): void {
  setFlagsFromString('--opt');
}

/** For commands that are no sidecar: as a program that is under load from its first moment. */
export function endStartUnderLoad(): void {
  endStart();
  sizeYoungGeneration();
}

/** The numbers that tell the load. */
export type LoadNumbers = Pick<ProxyStats, 'connectionsOpen' | 'detectedHttp2'> & {
  readonly http2Upstream: Pick<ProxyStats['http2Upstream'], 'open'>;
};

/**
 * Sizes the young generation once when the load asks for it: HTTP/2 on either side, of which many calls are under way at once, or very
 * many connections.
 * @param size stands in for the real thing in tests
 */
export function sizeWithLoad(stats: LoadNumbers, timers: Timers, size: () => void = sizeYoungGeneration): TimerHandle {
  const timer = timers.every(LOOK_EVERY_MS, () => {
    if (stats.detectedHttp2 === 0 && stats.http2Upstream.open === 0 && stats.connectionsOpen < MANY_CONNECTIONS) return;
    timer.cancel();
    size();
  });
  return timer;
}
