/** What {@link skipBecause} needs of mocha's context, the `this` of a test or hook. */
export interface SkippableContext {
  runnable(): object;
  skip(): never;
}

/**
 * Skips the running test, or from a `before` hook all tests of its suite, and leaves the reason where the reporter of this
 * repository finds it. Needs mocha's context, so the test is a `function`, not an arrow.
 *
 * ```ts
 * before(function () {
 *   if (process.getuid?.() !== 0) skipBecause(this, 'needs root to make a network namespace');
 * });
 * ```
 */
export function skipBecause(context: SkippableContext, reason: string): never {
  Object.assign(context.runnable(), { skipReason: reason });
  return context.skip();
}
