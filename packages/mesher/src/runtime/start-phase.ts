import { setFlagsFromString } from 'node:v8';
import type { TimerHandle, Timers } from '@mesher/core';
import type { ProxyStats } from '@mesher/proxy';
import { holdYoungGeneration, isYoungGenerationSized, sizeYoungGeneration } from './young-generation.js';

/** Connections of HTTP/1 and TCP of which the calls under way fill a young generation of a megabyte; 256 do not, measured. */
const MANY_CONNECTIONS = 512;
/** A wake-up costs some microseconds; in a second of 30,000 calls of HTTP/2 50 MB would be taken for old, in this time 12. */
const LOOK_EVERY_MS = 250;
/** In such a time there were some dozens of calls: fewer leave too little garbage for its place to matter. */
const BUSY_BYTES = 16_384;

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
export type LoadNumbers = Pick<
  ProxyStats,
  'bytesToDownstream' | 'bytesToUpstream' | 'connectionsOpen' | 'detectedHttp2'
> & { readonly http2Upstream: Pick<ProxyStats['http2Upstream'], 'open'> };

/** The young generation of this process, or one of a test. */
export interface YoungGeneration {
  isSized(): boolean;
  size(): void;
}

const OWN: YoungGeneration = { isSized: isYoungGenerationSized, size: sizeYoungGeneration };

/**
 * Sizes the young generation when the load asks for it: HTTP/2 on either side, of which many calls are under way at once, or very many
 * connections, and bytes that pass. Looks on, since V8 makes it small again when there is little to do.
 */
export function sizeWithLoad(stats: LoadNumbers, timers: Timers, young: YoungGeneration = OWN): TimerHandle {
  let passed = 0;
  return timers.every(LOOK_EVERY_MS, () => {
    const before = passed;
    passed = stats.bytesToUpstream + stats.bytesToDownstream;
    if (passed - before < BUSY_BYTES) return;
    const isWanted =
      stats.detectedHttp2 > 0 || stats.http2Upstream.open > 0 || stats.connectionsOpen >= MANY_CONNECTIONS;
    if (isWanted && !young.isSized()) young.size();
  });
}
