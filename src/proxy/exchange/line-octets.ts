const ZERO = 48;
const WORD_BYTES = Uint32Array.BYTES_PER_ELEMENT;

/** The most that one number takes. */
export const MAX_NUMBER_BYTES = 20;

/** Writing a constant may touch so many octets behind it, which are written over by what follows. */
export const PADDING_BYTES = WORD_BYTES - 1;

/** Text that is the same in every line, made once so that it is written four octets at a time. */
export class LineConstant {
  readonly length: number;
  readonly words: Uint32Array;

  /** @param text in ASCII */
  constructor(text: string) {
    this.length = text.length;
    const octets = Buffer.alloc(Math.ceil(text.length / WORD_BYTES) * WORD_BYTES);
    octets.write(text, "latin1");
    this.words = Uint32Array.from({ length: octets.length / WORD_BYTES }, (_, at) =>
      octets.readUInt32LE(at * WORD_BYTES),
    );
  }
}

/** `write` of a Buffer after it has looked at its arguments, which costs as much as the writing; in all versions of Node, but in no manual. */
type LatinBuffer = Buffer & { latin1Write(text: string, start: number, length: number): number };

/** Text and numbers, in ASCII, written one after another into memory that is there already: nothing is allocated. */
export class LineOctets {
  #buffer = Buffer.alloc(0) as LatinBuffer;
  #view = new DataView(this.#buffer.buffer);
  /** Where the next octet goes. */
  end = 0;

  /** Goes on in another memory, from its front. */
  moveTo(buffer: Buffer): void {
    if (buffer !== this.#buffer) this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    this.#buffer = buffer as LatinBuffer;
    this.end = 0;
  }

  get written(): Uint8Array {
    return this.#buffer.subarray(0, this.end);
  }

  text(text: string): void {
    this.end += this.#buffer.latin1Write(text, this.end, text.length);
  }

  constant({ words, length }: LineConstant): void {
    const view = this.#view;
    let at = this.end;
    for (let word = 0; word < words.length; word++) {
      view.setUint32(at, words[word]!, true);
      at += WORD_BYTES;
    }
    this.end += length;
  }

  /** @param value a whole number that is not negative */
  whole(value: number): void {
    let digits = 1;
    for (let limit = 10; limit <= value; limit *= 10) digits++;
    this.end += digits;
    let rest = value;
    for (let at = this.end - 1; digits > 0; digits--) {
      const digit = rest % 10;
      this.#buffer[at--] = ZERO + digit;
      rest = (rest - digit) / 10;
    }
  }

  /** @param value not negative; written with three places */
  thousandths(value: number): void {
    const count = Math.round(value * 1_000);
    const whole = Math.floor(count / 1_000);
    this.whole(whole);
    this.#view.setUint32(this.end, FRACTIONS[count - whole * 1_000]!, true);
    this.end += WORD_BYTES;
  }
}

/** The point and three digits, as one word. */
const FRACTIONS = Uint32Array.from(
  { length: 1_000 },
  (_, count) => new LineConstant(`.${String(count).padStart(3, "0")}`).words[0]!,
);
