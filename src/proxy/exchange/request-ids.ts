import { randomFillSync } from "node:crypto";

const WELL_FORMED = /^[\w.:/+=@-]{1,128}$/;

/** Ids that are made at once. */
const BATCH = 128;
const ID_OCTETS = 16;
const ID_CHARACTERS = 36;

/** Where the first digit of each octet of an id stands. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const DIGITS = Buffer.from("0123456789abcdef", "latin1");

/**
 * Ids of requests: UUIDs of version 4 (RFC 9562 §5.4). They are cut out of one text for a whole batch, since what is joined of many
 * pieces is put together again each time that it is written, and an id is written three times for a request.
 */
export class RequestIds {
  readonly #random = new Uint8Array(BATCH * ID_OCTETS);
  readonly #text = Buffer.alloc(BATCH * ID_CHARACTERS, "-");
  #batch = "";
  #next = BATCH;

  /** The client's own id when it can stand in a line of a log as it is, otherwise a new one. */
  of(given: string | undefined): string {
    return given !== undefined && WELL_FORMED.test(given) ? given : this.make();
  }

  make(): string {
    if (this.#next === BATCH) this.#makeBatch();
    const start = this.#next++ * ID_CHARACTERS;
    return this.#batch.substring(start, start + ID_CHARACTERS);
  }

  #makeBatch(): void {
    const random = randomFillSync(this.#random);
    const text = this.#text;
    for (let id = 0; id < BATCH; id++) {
      const octets = id * ID_OCTETS;
      random[octets + 6] = 0x40 | (random[octets + 6]! & 0x0f);
      random[octets + 8] = 0x80 | (random[octets + 8]! & 0x3f);
      for (let octet = 0; octet < ID_OCTETS; octet++) {
        const value = random[octets + octet]!;
        const place = id * ID_CHARACTERS + PLACES[octet]!;
        text[place] = DIGITS[value >> 4]!;
        text[place + 1] = DIGITS[value & 15]!;
      }
    }
    this.#batch = text.toString("latin1");
    this.#next = 0;
  }
}
