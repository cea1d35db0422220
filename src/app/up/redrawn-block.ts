/** What a block is drawn on. */
export interface Screen {
  /** How many characters fit into a line; undefined when it is not known. */
  readonly columns: number | undefined;
  write(text: string): void;
}

/** A block of lines at the end of a terminal's output that is drawn anew in place; other text goes above it. */
export class RedrawnBlock {
  readonly #screen: Screen;
  #lines = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Lines are cut to the width of the screen: a wrapped one would take more room than is erased. */
  draw(text: string): void {
    const lines = text.trimEnd().split("\n");
    const { columns } = this.#screen;
    this.#screen.write(`${this.#erase()}${lines.map((line) => `${line.slice(0, columns)}\n`).join("")}`);
    this.#lines = lines.length;
  }

  /** The block appears again below it at the next `draw`. */
  writeAbove(text: string): void {
    this.#screen.write(`${this.#erase()}${text}`);
    this.#lines = 0;
  }

  /** Cursor to the first line of the block, then everything below erased. */
  #erase(): string {
    return this.#lines === 0 ? "" : `\u001b[${this.#lines}A\u001b[J`;
  }
}
