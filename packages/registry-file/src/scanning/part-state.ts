import type { Clock } from '@mesher/core';
import type { ScanResult } from './scan-result.js';

/** How the looks at one part of the directory went. */
export class PartState {
  failure: string | undefined;
  problems: readonly string[] = [];
  /** Wall-clock milliseconds of the last look that saw everything. */
  lastSuccessAt: number | undefined;
  /** True once a look came through, even if single folders could not be read. */
  isKnown = false;
  #lastSuccess = 0;

  constructor(private readonly clock: Clock) {}

  /** A look came through. */
  note({ failure, problems }: ScanResult): void {
    this.isKnown = true;
    this.failure = failure;
    this.problems = problems;
    if (failure !== undefined) return;
    this.lastSuccessAt = this.clock.wallTime();
    this.#lastSuccess = this.clock.now();
  }

  /** A look failed altogether. */
  noteFailure(failure: string): void {
    this.failure = failure;
  }

  /** True when the last look failed, or when none came through for `overdueMs`: a file system that hangs reports no error. */
  isStale(overdueMs: number): boolean {
    return this.failure !== undefined || this.clock.now() - this.#lastSuccess > overdueMs;
  }
}
