/**
 * How many octets the windows of streams may be wider together than they are at first. It may be a share of a larger one: a connection's
 * is of its worker's, so that neither many connections nor a greedy one take more memory than there is for it.
 */
export class WindowBudget {
  readonly #whole: WindowBudget | undefined;
  #left: number;

  constructor(bytes: number, whole?: WindowBudget) {
    this.#left = bytes;
    this.#whole = whole;
  }

  /** Answers how much of what was wanted there is. */
  take(wanted: number): number {
    const own = Math.min(wanted, this.#left);
    const bytes = this.#whole === undefined ? own : this.#whole.take(own);
    this.#left -= bytes;
    return bytes;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
    this.#whole?.giveBack(bytes);
  }
}
