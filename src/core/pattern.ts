import { RE2JS, RE2JSSyntaxException } from "re2js";

const MAX_CHARACTERS = 1_000;

/**
 * A regular expression of a person's, in the syntax of RE2: without look-around and back references, so that a search takes
 * time in proportion to the text, whatever the pattern and whoever sends the text. See docs/decisions/0010-regular-expressions.md.
 */
export class Pattern {
  readonly #compiled: RE2JS;

  private constructor(compiled: RE2JS) {
    this.#compiled = compiled;
  }

  /** The pattern, or what is wrong with its text. */
  static compile(text: string): Pattern | string {
    if (text.length > MAX_CHARACTERS) return `must have at most ${MAX_CHARACTERS} characters`;
    try {
      return new Pattern(RE2JS.compile(text));
    } catch (error) {
      if (!(error instanceof RE2JSSyntaxException)) throw error;
      return `is not a regular expression of RE2: ${error.getDescription()} at \`${error.getPattern()}\``;
    }
  }

  get source(): string {
    return this.#compiled.pattern();
  }

  /** Whether it is found anywhere in the text; `^` and `$` hold it to the ends. */
  test(text: string): boolean {
    return this.#compiled.test(text);
  }
}
