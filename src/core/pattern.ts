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

  /** Groups in parentheses. */
  get groupCount(): number {
    return this.#compiled.groupCount();
  }

  /** Whether it is found anywhere in the text; `^` and `$` hold it to the ends. */
  test(text: string): boolean {
    return this.#compiled.test(text);
  }

  /** What is found first, and then its groups, empty where they took no part; undefined when nothing is found. */
  find(text: string): readonly string[] | undefined {
    const matcher = this.#compiled.matcher(text);
    if (!matcher.find()) return undefined;
    return Array.from({ length: this.groupCount + 1 }, (_, group) => matcher.group(group) ?? "");
  }

  /** The text with all that is found replaced. `replacer` gets what `find` answers. */
  replaceAll(text: string, replacer: (found: readonly string[]) => string): string {
    const count = this.groupCount + 1;
    return this.#compiled
      .matcher(text)
      .replaceAll((...found: unknown[]) => replacer(found.slice(0, count).map((group) => (group ?? "") as string)));
  }
}
