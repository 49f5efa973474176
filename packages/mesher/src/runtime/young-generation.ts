import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Half of the young generation under load; V8 has another one of the same size to copy into. */
const SEMI_SPACE_MEGABYTES = 8;
const BYTES_PER_MEGABYTE = 1_048_576;
const FULL_SIZE_BYTES = 2 * SEMI_SPACE_MEGABYTES * BYTES_PER_MEGABYTE;
/** V8 begins with a megabyte and grows when as much has survived; what survives here is thrown away afterwards. */
const SURVIVOR_ITEMS = 256;
/** Above what any growth takes: in a V8 that does not grow like this, this many survivors (some 16 MB) end the attempt. */
const MAX_SURVIVORS = 8_192;
/** Asking for the size costs as much as some allocations. */
const SURVIVORS_PER_LOOK = 64;

/**
 * Keeps the young generation at the size with which V8 begins, twice a megabyte at most, until {@link sizeYoungGeneration}.
 *
 * Left alone it grows to 16 MB while the program is loaded, since modules survive, and stays there: 14 MB of memory which neither a
 * sidecar that waits nor HTTP/1 has any use for (measured with 64 and with 256 connections: the same CPU per request in 1 and in 8 MB).
 */
export function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Gives the young generation its size under load: twice 8 MB, until V8 takes it back, which it does in a full collection of a process
 * that has had little to do; held as it is, it does not grow again by itself.
 *
 * Left alone V8 starts with 1 MB and goes up to 16. Both cost: in 1 MB the calls under way at a collection are taken for old, so the
 * old generation fills with garbage that only an expensive full collection removes (measured with gRPC, 128 calls at once: twice the CPU
 * per call and 20 to 30 MB more), and in 4 MB some still are (gRPC, 64 connections: 21 us per call, 12 in 8 MB, which are 12 MB more
 * memory); 16 MB are held for nothing, since requests leave little garbage. There is a flag for the size, but it
 * only counts on Node's own command line, so the growth is steered instead: one step up, then no further. It takes some milliseconds.
 */
export function sizeYoungGeneration(): void {
  // What V8 has left of it is not always the megabyte of the beginning.
  const halfMegabytes = Math.max(1, youngGenerationBytes() / 2 / BYTES_PER_MEGABYTE);
  setFlagsFromString(`--semi-space-growth-factor=${Math.max(2, Math.ceil(SEMI_SPACE_MEGABYTES / halfMegabytes))}`);
  const survivors: number[][] = [];
  while (!isYoungGenerationSized() && survivors.length < MAX_SURVIVORS) {
    for (let index = 0; index < SURVIVORS_PER_LOOK; index += 1)
      survivors.push(new Array<number>(SURVIVOR_ITEMS).fill(0));
  }
  holdYoungGeneration();
}

/** Whether the young generation has its size under load. */
export function isYoungGenerationSized(): boolean {
  return youngGenerationBytes() >= FULL_SIZE_BYTES;
}

/** What V8 has reserved for the young generation, both halves. */
export function youngGenerationBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}
