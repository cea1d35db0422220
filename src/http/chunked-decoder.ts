import { MAX_FIELDS } from "./field-lines.ts";
import {
  BACKSLASH,
  COLON,
  CR,
  EQUALS_SIGN,
  FIELD_VALUE,
  HEX_VALUE,
  LF,
  QUOTATION_MARK,
  SEMICOLON,
  TOKEN_LOWER,
  trimBlanks,
} from "./octets.ts";
import { framesMessage, NO_TRAILERS, type Trailers } from "./trailers.ts";

/**
 * Chunked transfer coding (RFC 9112 §7.1), taken apart octet by octet, in any pieces. Strict: a size is 1 to 12 hexadecimal
 * digits, every line ends with CRLF, nothing stands between size and line end but extensions without blanks. Extensions are
 * checked and dropped; in one message they may have `MAX_EXTENSION_BYTES`, so that they cannot be sent forever. Trailers are kept, as many
 * octets of them and fields as a head may have.
 */
export class ChunkedDecoder {
  /** Why `next` answered "refused". */
  reason = "";
  /** Where the data found by `next` starts and ends. */
  dataStart = 0;
  dataEnd = 0;
  /** The first octet that `next` has not looked at. */
  position = 0;
  trailers: Trailers = NO_TRAILERS;
  #state: State = "size";
  #remaining = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #maxTrailerBytes = 0;
  #trailerName = "";
  #trailerValue = "";

  reset(maxTrailerBytes: number): void {
    this.trailers = NO_TRAILERS;
    this.#state = "size";
    this.#remaining = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailerBytes = 0;
    this.#maxTrailerBytes = maxTrailerBytes;
  }

  /**
   * Goes on from `position` to `end`: "data" when a piece of data was found (call again), "more" when all is used up,
   * "done" when the message is complete, "refused" when it is not valid.
   */
  next(buffer: Buffer, end: number): "data" | "more" | "done" | "refused" {
    while (this.position < end) {
      if (this.#state === "data") {
        this.dataStart = this.position;
        this.dataEnd = Math.min(end, this.position + this.#remaining);
        this.#remaining -= this.dataEnd - this.dataStart;
        this.position = this.dataEnd;
        if (this.#remaining === 0) this.#state = "data-cr";
        return "data";
      }
      const next = this.#step(this.#state, buffer[this.position++]!);
      if (next === "refused" || next === "done") return next;
      this.#state = next;
    }
    return "more";
  }

  #step(state: Exclude<State, "data">, octet: number): State | "done" | "refused" {
    switch (state) {
      case "size":
        return this.#size(octet);
      case "size-lf":
        if (octet !== LF) return this.#refuse("a chunk size does not end with CRLF");
        this.#digits = 0;
        return this.#remaining === 0 ? "trailer" : "data";
      case "data-cr":
        return octet === CR ? "data-lf" : this.#refuse("a chunk is longer than its size");
      case "data-lf":
        return octet === LF ? "size" : this.#refuse("a chunk does not end with CRLF");
      case "trailer":
      case "trailer-name":
      case "trailer-value":
        return this.#trailer(state, octet);
      case "trailer-lf":
        return octet === LF ? this.#keepTrailer() : this.#refuse("a trailer does not end with CRLF");
      case "end-lf":
        return octet === LF ? "done" : this.#refuse("the last chunk does not end with CRLF");
      default:
        return this.#extension(state, octet);
    }
  }

  /** `*( ";" name [ "=" ( token / quoted-string ) ] )` (RFC 9112 §7.1.1). */
  #extension(state: ExtensionState, octet: number): State | "refused" {
    const isToken = TOKEN_LOWER[octet] !== 0;
    switch (state) {
      case "extension":
        return this.#extra(isToken, "extension-name");
      case "extension-name":
        if (octet === EQUALS_SIGN) return "extension-value";
        return this.#extensionEnd(octet) ?? this.#extra(isToken, "extension-name");
      case "extension-value":
        if (octet === QUOTATION_MARK) return "extension-quoted";
        return this.#extra(isToken, "extension-token");
      case "extension-token":
        return this.#extensionEnd(octet) ?? this.#extra(isToken, "extension-token");
      case "extension-quoted":
        if (octet === QUOTATION_MARK) return "extension-end";
        if (octet === BACKSLASH) return "extension-escape";
        return this.#extra(FIELD_VALUE[octet] === 1, "extension-quoted");
      case "extension-escape":
        return this.#extra(FIELD_VALUE[octet] === 1, "extension-quoted");
      case "extension-end":
        return this.#extensionEnd(octet) ?? this.#refuse(EXTENSION_REFUSED);
    }
  }

  #extensionEnd(octet: number): State | undefined {
    if (octet === CR) return "size-lf";
    return octet === SEMICOLON ? "extension" : undefined;
  }

  #trailer(state: "trailer" | "trailer-name" | "trailer-value", octet: number): State | "refused" {
    if (octet === CR && state !== "trailer-name") return state === "trailer" ? "end-lf" : "trailer-lf";
    if (++this.#trailerBytes > this.#maxTrailerBytes) return this.#refuse("the trailers are too long");
    if (state === "trailer-value") {
      if (FIELD_VALUE[octet] !== 1) return this.#refuse("a trailer value is not valid");
      this.#trailerValue += String.fromCharCode(octet);
      return state;
    }
    if (state === "trailer") this.#trailerName = "";
    else if (octet === COLON)
      return framesMessage(this.#trailerName) ? this.#refuse("a trailer frames the message") : "trailer-value";
    const lower = TOKEN_LOWER[octet]!;
    if (lower === 0) return this.#refuse("a trailer name is not valid");
    this.#trailerName += String.fromCharCode(lower);
    return "trailer-name";
  }

  #keepTrailer(): State | "refused" {
    if (this.trailers.length === 2 * MAX_FIELDS) return this.#refuse("there are too many trailers");
    this.trailers = [...this.trailers, this.#trailerName, trimBlanks(this.#trailerValue)];
    this.#trailerValue = "";
    return "trailer";
  }

  #size(octet: number): State | "refused" {
    const value = HEX_VALUE[octet]!;
    if (value < 16) {
      if (++this.#digits > MAX_SIZE_DIGITS) return this.#refuse("a chunk size is too large");
      this.#remaining = this.#remaining * 16 + value;
      return "size";
    }
    if (this.#digits === 0) return this.#refuse("a chunk has no valid size");
    if (octet === CR) return "size-lf";
    return octet === SEMICOLON ? "extension" : this.#refuse("a chunk size is not a hexadecimal number");
  }

  #extra(isValid: boolean, next: State): State | "refused" {
    if (!isValid) return this.#refuse(EXTENSION_REFUSED);
    if (++this.#extensionBytes > MAX_EXTENSION_BYTES) return this.#refuse("the chunk extensions are too long");
    return next;
  }

  #refuse(reason: string): "refused" {
    this.reason = reason;
    return "refused";
  }
}

type ExtensionState =
  | "extension"
  | "extension-name"
  | "extension-value"
  | "extension-token"
  | "extension-quoted"
  | "extension-escape"
  | "extension-end";

type State =
  | ExtensionState
  | "size"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer"
  | "trailer-name"
  | "trailer-value"
  | "trailer-lf"
  | "end-lf";

const MAX_SIZE_DIGITS = 12;
const MAX_EXTENSION_BYTES = 8_192;
const EXTENSION_REFUSED = "a chunk extension is not valid";
