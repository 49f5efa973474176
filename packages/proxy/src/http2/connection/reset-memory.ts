/** Streams that are remembered: twice as many as may be open by default. An id takes 8 bytes, and only where we reset so much. */
const REMEMBERED = 512;

/** The streams that we have reset lately: frames that were on their way when we did so are no error (RFC 9113, 5.1). */
export class ResetMemory {
  #ids: number[] | undefined = undefined;
  #next = 0;

  add(streamId: number): void {
    const ids = (this.#ids ??= []);
    ids[this.#next] = streamId;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  has(streamId: number): boolean {
    return this.#ids?.includes(streamId) === true;
  }
}
