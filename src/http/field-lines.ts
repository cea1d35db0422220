import { FIELD, FIELD_COUNT, type FieldId, hashStep, knownField } from "./known-field.ts";
import { COLON, CR, FIELD_VALUE, isBlank, LF, SPACE, TOKEN_LOWER } from "./octets.ts";

/** What `FieldLines.add` answers instead of a position. */
export const INCOMPLETE = -1;
export const REFUSED = -2;

/** Fields that one message may have at most. */
export const MAX_FIELDS = 128;

const NAME_START = 0;
const NAME_END = 1;
const VALUE_START = 2;
const VALUE_END = 3;
const ID = 4;
/** 1 where the line is spelled as we would spell it, so that its own text is what writing it anew would give. */
const CANONICAL = 5;
const STRIDE = 6;
/** Before the lines stands, for each known field, the first line of it. */
const LINES = FIELD_COUNT;
const INITIAL_LINES = 16;

/** In lower case. */
interface FieldName {
  readonly lower: string;
}

const NO_NAMES: readonly FieldName[] = [];

/**
 * The field lines of one message head, kept as offsets into its text: a head is read without an allocation for each field,
 * and a string is made only of what someone asks for. One table serves all messages of a connection, one after another.
 *
 * A line is `name ":" OWS value OWS CRLF` (RFC 9112 §5). Refused are: anything else than a token before the colon (so also
 * space before it, obsolete line folding, and lines without one), control characters in the value, CR or LF alone.
 */
export class FieldLines {
  count = 0;
  /** Lines that are taken, at most MAX_FIELDS. */
  maxCount = MAX_FIELDS;
  /** Why the last `add` answered REFUSED. */
  reason = "";
  #text = "";
  /** All in one array: a new one is what costs most of a table, and every new connection has two. */
  #cells = new Int32Array(LINES + INITIAL_LINES * STRIDE).fill(-1, 0, LINES);

  reset(): void {
    this.count = 0;
    this.#cells.fill(-1, 0, LINES);
  }

  /**
   * Reads the line of `octets` at `start`, of a head that begins at `base`; nothing is known from `end` on. Answers the position
   * after the line, INCOMPLETE or REFUSED.
   */
  add(octets: Buffer, base: number, start: number, end: number): number {
    let at = start;
    let hash = 0;
    for (let lower = 0; at < end; at++) {
      lower = TOKEN_LOWER[octets[at]!]!;
      if (lower === 0) break;
      hash = hashStep(hash, lower);
    }
    if (at === end) return INCOMPLETE;
    if (at === start || octets[at] !== COLON) return this.#refuse("a header line has no valid name");
    const nameEnd = at++;
    while (at < end && isBlank(octets[at]!)) at++;
    const valueStart = at;
    while (at < end && FIELD_VALUE[octets[at]!] === 1) at++;
    if (at + 1 >= end) return at === end || octets[at] === CR ? INCOMPLETE : this.#refuseValue();
    if (octets[at] !== CR || octets[at + 1] !== LF) return this.#refuseValue();
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(octets[valueEnd - 1]!)) valueEnd--;
    if (this.count >= this.maxCount) return this.#refuse("there are too many header lines");
    const isCanonical = valueEnd === at && valueStart === nameEnd + 2 && octets[nameEnd + 1] === SPACE;
    const id = knownField(hash, octets, start, nameEnd);
    this.#record(id, start - base, nameEnd - base, valueStart - base, valueEnd - base, isCanonical);
    return at + 2;
  }

  /** Gives the complete head as text, which names and values are cut from. */
  seal(text: string): void {
    this.#text = text;
  }

  id(index: number): FieldId {
    return this.#cell(index, ID) as FieldId;
  }

  name(index: number): string {
    return this.#text.substring(this.#cell(index, NAME_START), this.#cell(index, NAME_END));
  }

  value(index: number): string {
    return this.#text.substring(this.#cell(index, VALUE_START), this.#cell(index, VALUE_END));
  }

  /** Whether a tab stands between the value and the line's end: allowed, but there are parsers that take it for a part of the value. */
  hasTabBehind(index: number): boolean {
    const valueEnd = this.#cell(index, VALUE_END);
    return this.#text.substring(valueEnd, this.#text.indexOf("\r", valueEnd)).includes("\t");
  }

  /** The first line of a known field, or -1. */
  indexOf(id: FieldId): number {
    return this.#cells[id]!;
  }

  /** All values of a field in one list, as if it had been sent in one line (RFC 9110 §5.3), or undefined. */
  joined(id: FieldId): string | undefined {
    let list: string | undefined;
    for (let index = this.indexOf(id); index >= 0 && index < this.count; index++)
      if (this.#cell(index, ID) === id) list = list === undefined ? this.value(index) : `${list}, ${this.value(index)}`;
    return list;
  }

  /** The value of the first line with this lower-case name, or undefined. */
  find(lowerName: string): string | undefined {
    for (let index = 0; index < this.count; index++) if (this.#isNamed(lowerName, index)) return this.value(index);
    return undefined;
  }

  /** The values of all lines with this lower-case name, in order. */
  values(lowerName: string): string[] {
    const values: string[] = [];
    for (let index = 0; index < this.count; index++)
      if (this.#isNamed(lowerName, index)) values.push(this.value(index));
    return values;
  }

  /** The names of all lines as they were spelled, in order. */
  *names(): Generator<string> {
    for (let index = 0; index < this.count; index++) yield this.name(index);
  }

  /** The values of all lines with this lower-case name in one list, as if it had been sent in one line (RFC 9110 §5.3). */
  get(lowerName: string): string | undefined {
    let list: string | undefined;
    for (let index = 0; index < this.count; index++)
      if (this.#isNamed(lowerName, index))
        list = list === undefined ? this.value(index) : `${list}, ${this.value(index)}`;
    return list;
  }

  /**
   * The lines written anew, each ending with CRLF, but for fields that are 1 in `dropped` and those that `nominated` and `changed`
   * name in lower case. Neighbours that are already spelled as we would spell them are taken in one piece.
   */
  write(
    dropped: Uint8Array,
    nominated: readonly string[] | undefined,
    changed: readonly FieldName[] = NO_NAMES,
  ): string {
    let out = "";
    let runStart = -1;
    let runEnd = -1;
    for (let index = 0; index < this.count; index++) {
      const kept =
        dropped[this.#cell(index, ID)] !== 1 &&
        (nominated === undefined || !nominated.some((name) => this.#isNamed(name, index))) &&
        !this.#isChanged(changed, index);
      if (kept && this.#cell(index, CANONICAL) === 1) {
        if (runStart < 0) runStart = this.#cell(index, NAME_START);
        runEnd = this.#cell(index, VALUE_END) + 2;
        continue;
      }
      if (runStart >= 0) out += this.#text.substring(runStart, runEnd);
      runStart = -1;
      if (kept) out += `${this.name(index)}: ${this.value(index)}\r\n`;
    }
    return runStart >= 0 ? out + this.#text.substring(runStart, runEnd) : out;
  }

  #isChanged(changed: readonly FieldName[], index: number): boolean {
    const length = this.#nameLength(index);
    for (const { lower } of changed) if (lower.length === length && this.#isNamed(lower, index)) return true;
    return false;
  }

  #isNamed(lowerName: string, index: number): boolean {
    if (this.#nameLength(index) !== lowerName.length) return false;
    const start = this.#cell(index, NAME_START);
    for (let at = 0; at < lowerName.length; at++)
      if (TOKEN_LOWER[this.#text.charCodeAt(start + at)] !== lowerName.charCodeAt(at)) return false;
    return true;
  }

  #nameLength(index: number): number {
    return this.#cell(index, NAME_END) - this.#cell(index, NAME_START);
  }

  #cell(index: number, which: number): number {
    return this.#cells[LINES + index * STRIDE + which]!;
  }

  #record(id: FieldId, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number, isCanonical: boolean) {
    const index = this.count++;
    const at = LINES + index * STRIDE;
    if (at === this.#cells.length) this.#grow();
    const cells = this.#cells;
    cells[at + NAME_START] = nameStart;
    cells[at + NAME_END] = nameEnd;
    cells[at + VALUE_START] = valueStart;
    cells[at + VALUE_END] = valueEnd;
    cells[at + ID] = id;
    cells[at + CANONICAL] = isCanonical ? 1 : 0;
    if (id !== FIELD.other && cells[id] === -1) cells[id] = index;
  }

  #grow(): void {
    const larger = new Int32Array(2 * this.#cells.length - LINES);
    larger.set(this.#cells);
    this.#cells = larger;
  }

  #refuseValue(): number {
    return this.#refuse("a header value has a control character or a bare line end");
  }

  #refuse(reason: string): number {
    this.reason = reason;
    return REFUSED;
  }
}
