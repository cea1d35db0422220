/** A block of lines at the end of a terminal's output that is drawn anew in place; other text goes above it. */
export class RedrawnBlock {
  readonly #write: (text: string) => void;
  #lines = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  draw(text: string): void {
    this.#write(`${this.#erase()}${text}`);
    this.#lines = text.split("\n").length - 1;
  }

  /** The block appears again below it at the next `draw`. */
  writeAbove(text: string): void {
    this.#write(`${this.#erase()}${text}`);
    this.#lines = 0;
  }

  /** Cursor to the first line of the block, then everything below erased. */
  #erase(): string {
    return this.#lines === 0 ? "" : `\u001b[${this.#lines}A\u001b[J`;
  }
}
