/** Texts that are shorter are none of a large answer. */
const LARGE = 1_000;

/**
 * Counts how much of a large answer is worked on in one turn of the event loop, in characters instead of milliseconds, which depend on
 * the machine. While it measures it stands before `JSON.parse`.
 */
export class TurnMeter {
  readonly #parse = JSON.parse;
  #isOver = false;
  #turn = 0;
  #lastParsedIn = 0;
  #parsed = 0;
  #most = 0;

  private constructor() {
    JSON.parse = (text: string, ...more) => {
      if (text.length >= LARGE) this.#note(text.length);
      return this.#parse.call(JSON, text, ...more) as unknown;
    };
    setImmediate(this.#next);
  }

  /** Measures until the work is done. @returns what the work came to, and the meter */
  static async during<T>(work: () => Promise<T>): Promise<readonly [result: T, meter: TurnMeter]> {
    const meter = new TurnMeter();
    try {
      return [await work(), meter];
    } finally {
      meter.#close();
    }
  }

  /** Most characters of large texts that were parsed in one turn. */
  get mostParsed(): number {
    return this.#most;
  }

  /** Turns since a large text was parsed: the download of an answer has its own, which say nothing. */
  get turnsSinceParsing(): number {
    return this.#turn - this.#lastParsedIn;
  }

  #close(): void {
    this.#isOver = true;
    JSON.parse = this.#parse;
  }

  readonly #next = (): void => {
    this.#turn++;
    if (!this.#isOver) setImmediate(this.#next);
  };

  #note(characters: number): void {
    this.#parsed = (this.#lastParsedIn === this.#turn ? this.#parsed : 0) + characters;
    this.#lastParsedIn = this.#turn;
    this.#most = Math.max(this.#most, this.#parsed);
  }
}
