/** Where fields come from that nobody has changed yet: those of a received head. */
export interface FieldSource {
  /** The values of every line with this lower-case name, in order. */
  values(lowerName: string): readonly string[];
  /** The names as they were spelled, in order, once for each line. */
  names(): Iterable<string>;
}

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
const MAX_KNOWN_NAMES = 512;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a value (RFC 9110 §5.5).
const BAD_VALUE = /[\0-\x08\x0a-\x1f\x7f]|[^\0-\xff]/;

/** What became of the lines of one name; without values they were removed. */
interface FieldChange {
  readonly lower: string;
  /** As the plugin spells it. */
  readonly name: string;
  readonly values: readonly string[];
}

const NO_CHANGES: readonly FieldChange[] = [];

interface FieldName {
  readonly lower: string;
  readonly flaw: string | undefined;
}

export const NO_FIELDS: FieldSource = { values: () => [], names: () => [] };

/**
 * The header fields of a message as plugins see and change them. What was received is read where it lies; only changes are
 * kept. Names are compared without regard to case. What cannot be a field (RFC 9110 §5) is refused with a TypeError, so that no
 * plugin can be made to write a second header or a second message.
 */
export class HeaderFields {
  /** Names that plugins use: there are few, and each is looked at once. */
  static readonly #names = new Map<string, FieldName>();
  readonly #source: FieldSource;
  /** One for each name that was changed. A list, since there are few. */
  #changes: FieldChange[] | undefined;

  constructor(source: FieldSource) {
    this.#source = source;
  }

  /** The same fields with the same changes; changes to the copy are its own. */
  copy(): HeaderFields {
    const copy = new HeaderFields(this.#source);
    copy.#changes = this.#changes?.slice();
    return copy;
  }

  /** These fields with the changes that were made to a view of them. */
  with(view: HeaderFields): HeaderFields {
    const result = this.copy();
    for (const { name, values } of view.changes ?? []) result.#change(name, values);
    return result;
  }

  /** All values in one list, as if they had been sent in one line (RFC 9110 §5.3); undefined when there is none. */
  get(name: string): string | undefined {
    const values = this.values(name);
    return values.length === 0 ? undefined : values.length === 1 ? values[0] : values.join(", ");
  }

  has(name: string): boolean {
    return this.values(name).length > 0;
  }

  values(name: string): readonly string[] {
    return this.#valuesOf(HeaderFields.#nameOf(name).lower);
  }

  /** Lower-case names of the fields that are there. */
  *names(): Generator<string> {
    const told = new Set<string>();
    for (const name of [...this.#source.names(), ...(this.changed ?? [])]) {
      const lower = name.toLowerCase();
      if (told.has(lower) || this.#valuesOf(lower).length === 0) continue;
      told.add(lower);
      yield lower;
    }
  }

  /** Puts one line in place of all that have the name. */
  set(name: string, value: string): void {
    this.#change(name, [checkedValue(name, value)]);
  }

  /** Adds a line to those that are there. */
  append(name: string, value: string): void {
    this.#change(name, [...this.values(name), checkedValue(name, value)]);
  }

  remove(name: string): void {
    this.#change(name, []);
  }

  /** What was changed. Public, since the view may be of another copy of this module. */
  get changes(): readonly FieldChange[] | undefined {
    return this.#changes;
  }

  /** Lower-case names of what was changed; undefined when nothing was. */
  get changed(): readonly string[] | undefined {
    return this.#changes?.map(({ lower }) => lower);
  }

  /** The changed lines, each ending with CRLF. */
  writeChanges(): string {
    let lines = "";
    for (const { name, values } of this.#changes ?? []) for (const value of values) lines += `${name}: ${value}\r\n`;
    return lines;
  }

  #valuesOf(lower: string): readonly string[] {
    return this.#changeOf(lower)?.values ?? this.#source.values(lower);
  }

  #change(name: string, values: readonly string[]): void {
    const { lower, flaw } = HeaderFields.#nameOf(name);
    if (flaw !== undefined) throw new TypeError(flaw);
    const before = this.#changeOf(lower);
    this.#changes ??= [];
    if (before === undefined) this.#changes.push({ lower, name, values });
    else this.#changes[this.#changes.indexOf(before)] = { lower, name, values };
  }

  #changeOf(lower: string): FieldChange | undefined {
    for (const change of this.#changes ?? NO_CHANGES) if (change.lower === lower) return change;
    return undefined;
  }

  static #nameOf(name: string): FieldName {
    const known = HeaderFields.#names.get(name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase();
    const found = { lower, flaw: flawOf(name, lower) };
    if (HeaderFields.#names.size < MAX_KNOWN_NAMES) HeaderFields.#names.set(name, found);
    return found;
  }
}

/** Why a plugin cannot change fields of this name; undefined where it can. */
function flawOf(name: string, lower: string): string | undefined {
  if (!NAME.test(name)) return `${JSON.stringify(name)} is not the name of a header field`;
  return OURS.has(lower) ? `the gateway writes ${name} itself` : undefined;
}

function checkedValue(name: string, value: string): string {
  if (typeof value !== "string" || BAD_VALUE.test(value) || value !== value.trim())
    throw new TypeError(`the value for ${name} cannot be that of a header field`);
  return value;
}
