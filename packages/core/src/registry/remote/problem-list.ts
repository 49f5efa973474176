/** Problems that are kept; more are counted. */
const MAX_KEPT = 100;

/** Complaints about single entries of what a registry says. */
export class ProblemList {
  readonly #kept = new Set<string>();
  #left = 0;

  readonly add = (problem: string): void => {
    if (this.#kept.has(problem)) return;
    if (this.#kept.size < MAX_KEPT) this.#kept.add(problem);
    else this.#left++;
  };

  get all(): readonly string[] {
    return this.#left === 0 ? [...this.#kept] : [...this.#kept, `${this.#left} more`];
  }

  clear(): void {
    this.#kept.clear();
    this.#left = 0;
  }
}
