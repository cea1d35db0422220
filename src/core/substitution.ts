import { Pattern } from "./pattern.ts";

const REFERENCE = /\$(?:(\$)|(\d)|\{(\d{1,3})\})?/g;

/** What is wrong with the two texts of a substitution. */
export interface SubstitutionProblem {
  readonly of: "pattern" | "replacement";
  readonly message: string;
}

/** A pattern, and what stands for what it finds: `$1` and `${1}` are its groups, `$0` is all of it, `$$` a dollar sign. */
export class Substitution {
  readonly #pattern: Pattern;
  /** Numbers are those of groups. */
  readonly #parts: readonly (string | number)[];

  private constructor(pattern: Pattern, parts: readonly (string | number)[]) {
    this.#pattern = pattern;
    this.#parts = parts;
  }

  static compile(regex: string, replacement: string): Substitution | SubstitutionProblem {
    const pattern = Pattern.compile(regex);
    if (typeof pattern === "string") return { of: "pattern", message: pattern };
    const parts = partsOf(replacement, pattern.groupCount);
    return typeof parts === "string" ? { of: "replacement", message: parts } : new Substitution(pattern, parts);
  }

  /** The text with all that is found replaced. */
  replaceAll(text: string): string {
    return this.#pattern.replaceAll(text, (found) => this.#fill(found));
  }

  /** What stands for the first that is found, without the text around it; undefined when nothing is found. */
  expand(text: string): string | undefined {
    const found = this.#pattern.find(text);
    return found && this.#fill(found);
  }

  #fill(found: readonly string[]): string {
    return this.#parts.map((part) => (typeof part === "string" ? part : found[part]!)).join("");
  }
}

/** Or what is wrong with the text. */
function partsOf(text: string, groupCount: number): readonly (string | number)[] | string {
  const parts: (string | number)[] = [];
  let copied = 0;
  for (const [reference, dollar, digit, number] of text.matchAll(REFERENCE)) {
    const at = text.indexOf(reference, copied);
    if (reference === "$") return "a dollar sign stands before the number of a group, or twice for itself";
    const group = Number(digit ?? number);
    if (dollar === undefined && group > groupCount) return `there is no group ${group}; the pattern has ${groupCount}`;
    parts.push(text.slice(copied, at), dollar ?? group);
    copied = at + reference.length;
  }
  return [...parts, text.slice(copied)].filter((part) => part !== "");
}
