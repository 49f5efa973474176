/** Puts lines together into datagrams of a bounded size. */
export class Datagrams {
  readonly #full: string[] = [];
  #open = '';
  #bytes = 0;

  /** @param maxBytes of a datagram; a line that is longer by itself goes alone */
  constructor(private readonly maxBytes: number) {}

  add(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes > 0 && this.#bytes + 1 + bytes > this.maxBytes) this.#close();
    this.#open = this.#bytes === 0 ? line : `${this.#open}\n${line}`;
    this.#bytes += bytes + (this.#bytes === 0 ? 0 : 1);
  }

  /** Takes what is there; the last one may not be full. */
  take(): string[] {
    this.#close();
    return this.#full.splice(0);
  }

  #close(): void {
    if (this.#bytes === 0) return;
    this.#full.push(this.#open);
    this.#open = '';
    this.#bytes = 0;
  }
}
