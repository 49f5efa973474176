import { setTimeout as pause } from 'node:timers/promises';

/** Between two looks: often enough not to be noticed, rarely enough to leave the machine to the processes under test. */
const LOOK_EVERY_MS = 25;
/** Far more than anything here takes, so that it is reached only when the awaited state never comes. */
const GIVE_UP_MS = 20_000;

/**
 * Looks at something until it is as it should be, for states that nothing announces.
 * @param probe returns (or resolves with) anything but undefined and false when the state is there
 * @param what is awaited, for the message
 * @throws Error with the last error of `probe` when the state never comes
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  let lastError: unknown;
  do {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await pause(LOOK_EVERY_MS);
  } while (performance.now() < giveUpAt);
  throw new Error(`never seen within ${GIVE_UP_MS} ms: ${what}`, { cause: lastError });
}
