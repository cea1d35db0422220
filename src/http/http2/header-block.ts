const NOTHING = Buffer.alloc(0);
/** A header block may have so many pieces, and one more for each so many octets that it may have: small ones cost more than they bring. */
const MIN_PIECES = 16;
const BYTES_FOR_PIECE = 4_096;

/** The pieces of a header block that did not fit into one frame, or were not sent in one (RFC 9113 §4.3). */
export class HeaderBlock {
  stream = 0;
  endsStream = false;
  isOpen = false;
  readonly #maxBytes: () => number;
  #octets = NOTHING;
  #pieces = 0;

  constructor(maxBytes: () => number) {
    this.#maxBytes = maxBytes;
  }

  begin(stream: number, endsStream: boolean): void {
    this.stream = stream;
    this.endsStream = endsStream;
    this.isOpen = true;
    this.#pieces = 0;
  }

  /** Answers false when it is too much. */
  add(octets: Buffer, start: number, end: number): boolean {
    const maxBytes = this.#maxBytes();
    const bytes = this.#octets.length + end - start;
    if (++this.#pieces > MIN_PIECES + maxBytes / BYTES_FOR_PIECE || bytes > maxBytes) return false;
    this.#octets = Buffer.concat([this.#octets, octets.subarray(start, end)]);
    return true;
  }

  /** The whole block, after which there is none. */
  take(): Buffer {
    const whole = this.#octets;
    this.#octets = NOTHING;
    this.isOpen = false;
    return whole;
  }
}
