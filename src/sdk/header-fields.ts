import { type FieldChange, FieldName } from "./field-name.ts";

/** Where fields come from that nobody has changed yet: those of a received head. */
export interface FieldSource {
  /** The values of every line with this lower-case name in one list; undefined when there is none. */
  get(lowerName: string): string | undefined;
  /** The values of every line with this lower-case name, in order. */
  values(lowerName: string): readonly string[];
  /** The names as they were spelled, in order, once for each line. */
  names(): Iterable<string>;
}

const NO_CHANGES: readonly FieldChange[] = [];

export const NO_FIELDS: FieldSource = { get: () => undefined, values: () => [], names: () => [] };

/**
 * The header fields of a message as plugins see and change them. What was received is read where it lies; only changes are
 * kept. Names are compared without regard to case. What cannot be a field (RFC 9110 §5) is refused with a TypeError, so that no
 * plugin can be made to write a second header or a second message.
 */
export class HeaderFields {
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
    for (const change of view.changes) result.#put(change);
    return result;
  }

  /** All values in one list, as if they had been sent in one line (RFC 9110 §5.3); undefined when there is none. */
  get(name: string): string | undefined {
    const { lower } = FieldName.of(name);
    const change = this.#changeOf(lower);
    if (change === undefined) return this.#source.get(lower);
    return change.values.length === 0 ? undefined : change.values.join(", ");
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  values(name: string): readonly string[] {
    const { lower } = FieldName.of(name);
    const change = this.#changeOf(lower);
    return change === undefined ? this.#source.values(lower) : [...change.values];
  }

  /** Lower-case names of the fields that are there. */
  *names(): Generator<string> {
    const told = new Set<string>();
    for (const name of [...this.#source.names(), ...this.changes.map(({ lower }) => lower)]) {
      const lower = name.toLowerCase();
      if (told.has(lower) || !this.has(lower)) continue;
      told.add(lower);
      yield lower;
    }
  }

  /** Puts one line in place of all that have the name. */
  set(name: string, value: string): void {
    this.#put(FieldName.of(name).set(value));
  }

  /** Adds a line to those that are there. */
  append(name: string, value: string): void {
    this.#put(FieldName.of(name).appended(this.values(name), value));
  }

  remove(name: string): void {
    this.#put(FieldName.of(name).removed());
  }

  /** What was changed. Public, since the view may be of another copy of this module. */
  get changes(): readonly FieldChange[] {
    return this.#changes ?? NO_CHANGES;
  }

  /** The changed lines, each ending with CRLF. */
  writeChanges(): string {
    let lines = "";
    for (const change of this.changes) lines += change.lines;
    return lines;
  }

  #put(change: FieldChange): void {
    const changes = this.#changes;
    if (changes === undefined) {
      this.#changes = [change];
      return;
    }
    const at = changes.findIndex(({ lower }) => lower === change.lower);
    if (at < 0) changes.push(change);
    else changes[at] = change;
  }

  #changeOf(lower: string): FieldChange | undefined {
    for (const change of this.#changes ?? NO_CHANGES) if (change.lower === lower) return change;
    return undefined;
  }
}
