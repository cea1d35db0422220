import { CONNECTION_SPECIFIC } from "../field-names.ts";
import { DEFAULT_TABLE_BYTES, DynamicTable, ENTRY_BYTES, type TableEntry } from "./dynamic-table.ts";
import { STATIC_FIELDS, STATIC_NAMES } from "./static-table.ts";

// The first bits of a representation (RFC 7541 §6), and the bits of the number behind them.
const INDEXED = 0x80;
const INDEXED_BITS = 7;
const ADDED = 0x40;
const ADDED_BITS = 6;
const TABLE_SIZE = 0x20;
const TABLE_SIZE_BITS = 5;
const NEVER_ADDED = 0x10;
const NOT_ADDED = 0x00;
const LITERAL_BITS = 4;
const STRING_BITS = 7;

/** Secrets, which are kept out of every table so that nobody can guess them by lengths (RFC 7541 §7.1.3). */
const SECRET: ReadonlySet<string> = new Set(["set-cookie", "authorization", "www-authenticate"]);
/** What is another one with nearly every answer would only push others out of the table. */
const EVER_NEW: ReadonlySet<string> = new Set([
  ...["x-request-id", "content-length", "content-range", "etag", "last-modified", "expires", "age", "location"],
  ...["retry-after", "grpc-message", "traceparent"],
]);
/** Names whose way of being written is remembered. */
const MAX_NAMES = 256;

/** `HTTP/1.1 200` */
const STATUS_START = 9;
const STATUS_END = 12;
const STATUS_INDEX = STATIC_NAMES.get(":status")!;
const STATUS_BLOCKS: ReadonlyMap<string, string> = new Map(
  STATIC_FIELDS.flatMap((field, index) =>
    field?.name === ":status" ? [[field.value, number(INDEXED, INDEXED_BITS, index)] as const] : [],
  ),
);

interface KnownLine extends TableEntry {
  /** As it was written in HTTP/1.1. */
  readonly line: string;
}

/** How fields of a name are written. */
interface NamePlan {
  readonly isDropped: boolean;
  readonly isAdded: boolean;
  /** All but the value. */
  readonly start: string;
}

/**
 * Writes header blocks from heads as HTTP/1.1 writes them (`Name: value`, CRLF): a line that was written before is one number, found by
 * the line as it stands there. Literals are written as they are, not in the Huffman code, whose quarter of a few octets is not worth
 * what it costs. A block has to be sent once it was made, as it changes what the next ones mean.
 */
export class HpackEncoder {
  readonly #numbers = new Map<string, number>();
  readonly #table = new DynamicTable<KnownLine>(({ line }) => this.#numbers.delete(line));
  readonly #plans = new Map<string, NamePlan>();
  /** The smallest that the table was allowed to be since the last block, which the reader has to be told (RFC 7541 §4.2). */
  #smallestBytes: number | undefined;

  /** What the reader allows the table to be. */
  allow(maxBytes: number): void {
    const bytes = Math.min(maxBytes, DEFAULT_TABLE_BYTES);
    if (bytes === this.#table.maxBytes && this.#smallestBytes === undefined) return;
    this.#table.maxBytes = bytes;
    this.#smallestBytes = Math.min(bytes, this.#smallestBytes ?? bytes);
  }

  /** The block of a response head that ends with an empty line at `end - 2`. */
  head(text: string, end: number): string {
    const status = text.substring(STATUS_START, STATUS_END);
    const first = STATUS_BLOCKS.get(status) ?? number(NOT_ADDED, LITERAL_BITS, STATUS_INDEX) + string(status);
    return this.#tellSize() + first + this.#lines(text, text.indexOf("\r\n") + 2, end - 2);
  }

  /** The block of fields behind a body. */
  trailers(lines: string): string {
    return this.#tellSize() + this.#lines(lines, 0, lines.length);
  }

  #lines(text: string, from: number, end: number): string {
    let block = "";
    for (let start = from; start < end; ) {
      const lineEnd = text.indexOf("\r\n", start);
      const line = text.substring(start, lineEnd);
      const known = this.#numbers.get(line);
      block +=
        known === undefined
          ? this.#newLine(line)
          : number(INDEXED, INDEXED_BITS, this.#table.indexOf(known) + STATIC_FIELDS.length - 1);
      start = lineEnd + 2;
    }
    return block;
  }

  #newLine(line: string): string {
    const colon = line.indexOf(":");
    const name = line.substring(0, colon);
    const plan = this.#plans.get(name) ?? this.#addPlan(name);
    if (plan.isDropped) return "";
    if (plan.isAdded) this.#add(line);
    return plan.start + string(line.substring(colon + 2));
  }

  #add(line: string): void {
    const bytes = line.length - 2 + ENTRY_BYTES;
    if (bytes <= this.#table.maxBytes) this.#numbers.set(line, this.#table.nextNumber);
    this.#table.add({ line, bytes });
  }

  #addPlan(spelled: string): NamePlan {
    const name = spelled.toLowerCase();
    const isAdded = !EVER_NEW.has(name) && !SECRET.has(name);
    const [pattern, bits] = isAdded ? [ADDED, ADDED_BITS] : [SECRET.has(name) ? NEVER_ADDED : NOT_ADDED, LITERAL_BITS];
    const index = STATIC_NAMES.get(name) ?? 0;
    const start = number(pattern, bits, index) + (index === 0 ? string(name) : "");
    const plan: NamePlan = { isDropped: CONNECTION_SPECIFIC.has(name), isAdded, start };
    if (this.#plans.size >= MAX_NAMES) this.#plans.clear();
    this.#plans.set(spelled, plan);
    return plan;
  }

  #tellSize(): string {
    const smallest = this.#smallestBytes;
    if (smallest === undefined) return "";
    this.#smallestBytes = undefined;
    const { maxBytes } = this.#table;
    const last = number(TABLE_SIZE, TABLE_SIZE_BITS, maxBytes);
    return smallest < maxBytes ? number(TABLE_SIZE, TABLE_SIZE_BITS, smallest) + last : last;
  }
}

/** A number behind the first bits of a representation (RFC 7541 §5.1). */
function number(pattern: number, bits: number, value: number): string {
  const mask = (1 << bits) - 1;
  if (value < mask) return String.fromCharCode(pattern | value);
  let text = String.fromCharCode(pattern | mask);
  let rest = value - mask;
  for (; rest >= 128; rest >>>= 7) text += String.fromCharCode((rest & 127) | 128);
  return text + String.fromCharCode(rest);
}

function string(text: string): string {
  return number(0, STRING_BITS, text.length) + text;
}
