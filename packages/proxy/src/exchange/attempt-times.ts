/** When something is due in a call that has limits besides those of its phases; other calls have no such object. Monotonic milliseconds. */
export class AttemptTimes {
  /** The first of all. */
  dueAt = Infinity;
  /** The first attempt has taken too long. */
  tryAt = Infinity;
  /** It gets company. */
  hedgeAt = Infinity;
}
