/**
 * The Huffman code of HPACK (RFC 7541 Appendix B). It is canonical: codes of one length follow each other in the order of their
 * symbols, and longer ones come after shorter ones; so the lengths say everything.
 */
// biome-ignore format: rows of the octets 0 to 255, and the end of the string.
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const END_OF_STRING = 256;
const MAX_LENGTH = 30;
/** An octet of five bits has the shortest code. */
const MAX_GROWTH = 8 / 5;

/**
 * Tables of 256 entries one behind the other, looked into with eight bits at a time. An entry is the number of a further table for
 * the next bits, or `LEAF | symbol << 4 | bits` where a code ends that has so many bits in this table.
 */
const LEAF = 1 << 16;
const TABLES = buildTables();

function buildTables(): Int32Array {
  const tables: Int32Array[] = [new Int32Array(256)];
  let code = 0;
  for (let length = 1; length <= MAX_LENGTH; length++) {
    code <<= 1;
    for (const [symbol, own] of LENGTHS.entries()) if (own === length) enter(tables, symbol, code++, length);
  }
  const joined = new Int32Array(256 * tables.length);
  for (const [index, table] of tables.entries()) joined.set(table, 256 * index);
  return joined;
}

function enter(tables: Int32Array[], symbol: number, code: number, length: number): void {
  let table = tables[0]!;
  let bits = length;
  for (; bits > 8; bits -= 8) {
    const at = (code >>> (bits - 8)) & 255;
    if (table[at] === 0) table[at] = tables.push(new Int32Array(256)) - 1;
    table = tables[table[at]!]!;
  }
  const first = (code << (8 - bits)) & 255;
  table.fill(LEAF | (symbol << 4) | bits, first, first + (1 << (8 - bits)));
}

/** The text that octets `start` to `end` stand for, one character an octet; undefined when they stand for none (RFC 7541 §5.2). */
export function decodeHuffman(octets: Buffer, start: number, end: number): string | undefined {
  const out = Buffer.allocUnsafe(Math.ceil((end - start) * MAX_GROWTH));
  let length = 0;
  let table = 0;
  let held = 0;
  let bits = 0;
  for (let at = start; at < end; at++) {
    held = ((held << 8) | octets[at]!) & 0xffff;
    bits += 8;
    while (bits >= 8) {
      const entry = TABLES[table + ((held >>> (bits - 8)) & 255)]!;
      if (entry < LEAF) {
        table = entry << 8;
        bits -= 8;
      } else {
        const symbol = (entry >>> 4) & 511;
        if (symbol === END_OF_STRING) return undefined;
        out[length++] = symbol;
        table = 0;
        bits -= entry & 15;
      }
    }
  }
  for (; bits > 0; table = 0) {
    // What is missing of the last octet is looked up as ones, as the padding is.
    const entry = TABLES[table + (((held << (8 - bits)) | (255 >>> bits)) & 255)]!;
    if (entry < LEAF || (entry & 15) > bits) break;
    out[length++] = (entry >>> 4) & 511;
    bits -= entry & 15;
  }
  const padding = (1 << bits) - 1;
  return table === 0 && (held & padding) === padding ? out.toString("latin1", 0, length) : undefined;
}
