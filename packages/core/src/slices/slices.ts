/** Long work in steps: after each `yield` it may pause. Between two of them it takes no more than a few milliseconds. */
export type Steps<T> = Generator<void, T, void>;

/** Lets everybody else have a turn; resolves when they had it. */
export type NextTurn = () => Promise<void>;

/** After timers, answers and requests that are waiting. */
export const nextTurn: NextTurn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * Does the work with a pause after each step, so that ten thousand instances keep no call waiting.
 * @param turn what a pause is, for tests
 * @throws what the work throws
 */
export async function inSlices<T>(steps: Steps<T>, turn: NextTurn = nextTurn): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await turn();
  }
}

/** Does the work without a pause: for what is small. @throws what the work throws */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Items that one step handles where handling one takes microseconds: some milliseconds, also on a slow machine. */
export const ITEMS_PER_SLICE = 500;
