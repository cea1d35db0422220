import { DEFAULT_TABLE_BYTES, DynamicTable, ENTRY_BYTES } from "./dynamic-table.ts";
import { decodeHuffman } from "./huffman.ts";
import { type HeaderField, STATIC_FIELDS } from "./static-table.ts";

// The first bits of a representation (RFC 7541 §6), and the bits of the number behind them.
const INDEXED = 0x80;
const INDEXED_BITS = 7;
const ADDED = 0x40;
const ADDED_BITS = 6;
const TABLE_SIZE = 0x20;
const TABLE_SIZE_BITS = 5;
const LITERAL_BITS = 4;
const HUFFMAN = 0x80;
const STRING_BITS = 7;
/** A number may have so many octets behind its prefix; with more it would be larger than anything here. */
const MAX_NUMBER_OCTETS = 4;

interface Entry extends HeaderField {
  readonly bytes: number;
}

/**
 * Reads the header blocks of one direction of a connection (RFC 7541). Every block has to be read, in order, even one that
 * is not wanted, as it changes what the next ones mean; one that cannot be read is the end of the connection.
 */
export class HpackDecoder {
  /** Whether the last block had more than was to be kept of it. */
  isTooLarge = false;
  readonly #table = new DynamicTable<Entry>();
  #octets: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #isFaulty = false;
  #list: string[] = [];
  #bytesLeft = 0;

  /**
   * The fields of the block in octets `start` to `end`, names and values in turn, each character an octet; undefined when it is
   * not valid. With more than `maxBytes`, each field counted as the table counts it, the first of them.
   */
  decode(octets: Buffer, start: number, end: number, maxBytes: number): string[] | undefined {
    this.#octets = octets;
    this.#at = start;
    this.#end = end;
    this.#isFaulty = false;
    this.isTooLarge = false;
    this.#list = [];
    this.#bytesLeft = maxBytes;
    for (let isFirst = true; this.#at < end && !this.#isFaulty; isFirst = this.#readNext(isFirst));
    return this.#isFaulty ? undefined : this.#list;
  }

  /** Answers whether a change of the table's size may follow: only before the first field (RFC 7541 §4.2). */
  #readNext(isFirst: boolean): boolean {
    const octet = this.#octets[this.#at]!;
    if (octet >= INDEXED) this.#take(this.#fieldAt(this.#readNumber(INDEXED_BITS)));
    else if (octet >= ADDED) {
      const entry = this.#readLiteral(ADDED_BITS);
      if (entry !== undefined) this.#table.add(entry);
      this.#take(entry);
    } else if (octet < TABLE_SIZE) this.#take(this.#readLiteral(LITERAL_BITS));
    else {
      const maxBytes = this.#readNumber(TABLE_SIZE_BITS);
      if (isFirst && maxBytes <= DEFAULT_TABLE_BYTES) this.#table.maxBytes = maxBytes;
      else this.#isFaulty = true;
      return isFirst;
    }
    return false;
  }

  #take(field: HeaderField | undefined): void {
    if (field === undefined) {
      this.#isFaulty = true;
      return;
    }
    this.#bytesLeft -= field.name.length + field.value.length + ENTRY_BYTES;
    if (this.#bytesLeft < 0) this.isTooLarge = true;
    else this.#list.push(field.name, field.value);
  }

  #fieldAt(index: number): HeaderField | undefined {
    return index < STATIC_FIELDS.length ? STATIC_FIELDS[index] : this.#table.get(index - STATIC_FIELDS.length + 1);
  }

  #readLiteral(bits: number): Entry | undefined {
    const index = this.#readNumber(bits);
    const name = index === 0 ? this.#readString() : this.#fieldAt(index)?.name;
    const value = this.#readString();
    if (name === undefined || value === undefined) return undefined;
    return { name, value, bytes: name.length + value.length + ENTRY_BYTES };
  }

  /** RFC 7541 §5.1. */
  #readNumber(bits: number): number {
    const mask = (1 << bits) - 1;
    const prefix = this.#octets[this.#at++]! & mask;
    if (prefix < mask) return prefix;
    let number = mask;
    for (let count = 0; count < MAX_NUMBER_OCTETS && this.#at < this.#end; count++) {
      const octet = this.#octets[this.#at++]!;
      number += (octet & 127) << (7 * count);
      if (octet < 128) return number;
    }
    this.#isFaulty = true;
    return 0;
  }

  #readString(): string | undefined {
    if (this.#at >= this.#end) return undefined;
    const isHuffman = this.#octets[this.#at]! >= HUFFMAN;
    const length = this.#readNumber(STRING_BITS);
    const start = this.#at;
    const end = start + length;
    if (this.#isFaulty || end > this.#end) return undefined;
    this.#at = end;
    return isHuffman ? decodeHuffman(this.#octets, start, end) : this.#octets.toString("latin1", start, end);
  }
}
