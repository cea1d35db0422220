/** Fields that frame a message or are about one hop: the gateway writes them itself. */
const OURS = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-request-id",
]);
/** A plugin that makes up names without end has the others of them looked at each time. */
const MAX_KNOWN = 512;
/** Of a line that is kept for its next use. */
const MAX_KEPT_CHARACTERS = 256;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a value (RFC 9110 §5.5).
const BAD_VALUE = /[\0-\x08\x0a-\x1f\x7f]|[^\0-\xff]/;

/** What became of the lines of one name. Many requests may have the same one, so it is never changed. */
export interface FieldChange {
  readonly lower: string;
  /** As the plugin spells it. */
  readonly name: string;
  /** None where the lines were removed. */
  readonly values: readonly string[];
  /** As they are written, each ending with CRLF. */
  readonly lines: string;
}

/**
 * The name of a header field as plugins spell it. There are few, so each is looked at once; and most are given the same value again
 * and again, so what was made of it last is kept.
 */
export class FieldName {
  static readonly #known = new Map<string, FieldName>();

  static of(name: string): FieldName {
    const known = FieldName.#known.get(name);
    if (known !== undefined) return known;
    const made = new FieldName(name);
    if (FieldName.#known.size < MAX_KNOWN) FieldName.#known.set(name, made);
    return made;
  }

  readonly lower: string;
  readonly #name: string;
  /** Why plugins cannot change fields of this name; undefined where they can. */
  readonly #flaw: string | undefined;
  #removed: FieldChange | undefined;
  #last: FieldChange | undefined;

  private constructor(name: string) {
    this.lower = name.toLowerCase();
    this.#name = name;
    this.#flaw = flawOf(name, this.lower);
  }

  /** @throws TypeError for what plugins cannot change */
  removed(): FieldChange {
    this.#removed ??= this.#change([]);
    return this.#removed;
  }

  /** @throws TypeError for what plugins cannot change, or cannot be a value */
  set(value: string): FieldChange {
    if (this.#last?.values[0] === value && this.#last !== undefined) return this.#last;
    const change = this.#change([this.#checked(value)]);
    if (change.lines.length <= MAX_KEPT_CHARACTERS) this.#last = change;
    return change;
  }

  /** @throws TypeError for what plugins cannot change, or cannot be a value */
  appended(before: readonly string[], value: string): FieldChange {
    return this.#change([...before, this.#checked(value)]);
  }

  /** With values that are known to be right. @throws TypeError for what plugins cannot change */
  #change(values: readonly string[]): FieldChange {
    if (this.#flaw !== undefined) throw new TypeError(this.#flaw);
    let lines = "";
    for (const value of values) lines += `${this.#name}: ${value}\r\n`;
    return { lower: this.lower, name: this.#name, values, lines };
  }

  #checked(value: string): string {
    if (typeof value !== "string" || BAD_VALUE.test(value) || value !== value.trim())
      throw new TypeError(`the value for ${this.#name} cannot be that of a header field`);
    return value;
  }
}

function flawOf(name: string, lower: string): string | undefined {
  if (!NAME.test(name)) return `${JSON.stringify(name)} is not the name of a header field`;
  return OURS.has(lower) ? `the gateway writes ${name} itself` : undefined;
}
