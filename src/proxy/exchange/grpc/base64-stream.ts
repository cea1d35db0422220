/** What there is of a base64 stream besides whole quanta of four characters: quanta that end in padding, each of which ends a part. */
const PARTS = /^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*$/;
const PART = /[^=]+=*/g;

/** Reads a body in base64 that comes in pieces, and may consist of several parts that were each padded to their end. */
export class Base64Decoder {
  /** Up to three characters that do not make a quantum yet. */
  #rest = "";

  /** Whether nothing is missing. */
  get isWhole(): boolean {
    return this.#rest === "";
  }

  /** What the next piece says; undefined when it is not base64. */
  decode(buffer: Buffer, start: number, end: number): Buffer | undefined {
    const text = this.#rest + buffer.toString("latin1", start, end);
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    const quanta = text.slice(0, whole);
    if (!PARTS.test(quanta)) return undefined;
    if (!quanta.includes("=")) return Buffer.from(quanta, "base64");
    return Buffer.concat((quanta.match(PART) ?? []).map((part) => Buffer.from(part, "base64")));
  }
}

/** Writes a body in base64 as it comes. Padding is written only where somebody waits for what there is. */
export class Base64Encoder {
  /** Up to two octets that do not make a quantum yet. */
  #rest: Buffer = Buffer.alloc(0);

  encode(octets: Buffer): Buffer {
    const all = this.#rest.length === 0 ? octets : Buffer.concat([this.#rest, octets]);
    const whole = all.length - (all.length % 3);
    this.#rest = Buffer.from(all.subarray(whole));
    return Buffer.from(all.toString("base64", 0, whole), "latin1");
  }

  /** What is left, padded. */
  flush(): Buffer {
    const rest = Buffer.from(this.#rest.toString("base64"), "latin1");
    this.#rest = Buffer.alloc(0);
    return rest;
  }
}
