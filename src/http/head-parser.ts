import { FieldLines, INCOMPLETE, REFUSED } from "./field-lines.ts";
import { FIELD } from "./known-field.ts";
import { CR, LF, trimBlanks } from "./octets.ts";
import type { Refusal } from "./refusal.ts";

export type HeadState = "incomplete" | "complete" | "refused";

const TRANSFER_CODING = /^chunked$/i;
const CONTENT_LENGTH = /^\d{1,15}$/;
const NOTHING = Buffer.alloc(0);
const NO_REFUSAL: Refusal = { kind: "badRequest", reason: "" };

/**
 * Reads a message head (RFC 9112 §2.1) from octets that arrive in any pieces: first line, field lines, empty line. A head
 * that arrives at once is read where it lies and becomes one string at its end; of one that does not, the octets are kept, and
 * reading goes on with the line where it stopped. One parser serves all messages of a connection; what it holds is valid until
 * `reset`.
 */
export abstract class HeadParser {
  readonly fields = new FieldLines();
  refusal: Refusal = NO_REFUSAL;
  /** How many octets of the last `feed` belong to the head. */
  consumed = 0;
  /** Minor version: 0 for HTTP/1.0, 1 for HTTP/1.1. */
  minorVersion = 1;
  /** Octets of the body, -1 when the head does not say. */
  contentLength = -1;
  chunked = false;
  /** What the Connection field says about this connection. */
  connectionClose = false;
  connectionKeepAlive = false;
  /** Lower-case names of fields that the Connection field declares to be for this hop only (RFC 9110 §7.6.1). */
  nominated: string[] | undefined;
  /** The complete head, from its first octet. */
  protected text = "";
  /** Octets of a head that is not complete yet. */
  #held = NOTHING;
  #heldBytes = 0;
  /** The next line, counted from the start of the head. */
  #at = 0;
  #hasFirstLine = false;

  /** Whether a part of a head has arrived. */
  get hasBegun(): boolean {
    return this.#heldBytes > 0;
  }

  reset(): void {
    this.fields.reset();
    this.#held = NOTHING;
    this.#heldBytes = 0;
    this.#at = 0;
    this.#hasFirstLine = false;
    this.minorVersion = 1;
    this.contentLength = -1;
    this.chunked = false;
    this.connectionClose = false;
    this.connectionKeepAlive = false;
    this.nominated = undefined;
  }

  /** Takes octets `start` to `end`; a head of more than `maxBytes` is refused. */
  feed(buffer: Buffer, start: number, end: number, maxBytes: number): HeadState {
    const heldBefore = this.#heldBytes;
    let state: HeadState;
    if (heldBefore === 0) {
      state = this.#parse(buffer, start, end, maxBytes);
      if (state === "incomplete") this.#hold(buffer, start, end);
    } else {
      this.#hold(buffer, start, end);
      state = this.#parse(this.#held, 0, this.#heldBytes, maxBytes);
    }
    this.consumed = this.#at - heldBefore;
    return state;
  }

  /**
   * Reads the first line at `start`, of a head that begins at `base`; nothing is known from `end` on. Answers the position after
   * it, INCOMPLETE or REFUSED.
   */
  protected abstract parseFirstLine(octets: Buffer, base: number, start: number, end: number): number;
  /** Understands the fields of a complete head. */
  protected abstract finish(): HeadState;
  /** What a head that is too long is. */
  protected abstract refuseLength(inFirstLine: boolean): HeadState;
  protected abstract refuse(reason: string): HeadState;

  #parse(octets: Buffer, base: number, end: number, maxBytes: number): HeadState {
    const isTooLong = end - base > maxBytes;
    const limit = base + maxBytes;
    let at = base + this.#at;
    if (!this.#hasFirstLine) {
      const next = this.parseFirstLine(octets, base, at, end);
      if (next === REFUSED) return "refused";
      if (next === INCOMPLETE) return isTooLong ? this.refuseLength(true) : "incomplete";
      if (next > limit) return this.refuseLength(true);
      this.#hasFirstLine = true;
      at = next;
    }
    for (;;) {
      this.#at = at - base;
      if (at > limit) return this.refuseLength(false);
      if (octets[at] === CR && at < end) break;
      const next = at < end ? this.fields.add(octets, base, at, end) : INCOMPLETE;
      if (next === INCOMPLETE) return isTooLong ? this.refuseLength(false) : "incomplete";
      if (next === REFUSED)
        return this.fields.count >= this.fields.maxCount ? this.refuseLength(false) : this.refuse(this.fields.reason);
      at = next;
    }
    if (at + 1 === end) return "incomplete";
    if (octets[at + 1] !== LF) return this.refuse("a bare CR stands in the head");
    if (at + 2 > limit) return this.refuseLength(false);
    return this.#complete(octets, base, at + 2);
  }

  #complete(octets: Buffer, base: number, end: number): HeadState {
    this.#at = end - base;
    this.text = octets.toString("latin1", base, end);
    this.fields.seal(this.text);
    return this.finish();
  }

  #hold(buffer: Buffer, start: number, end: number): void {
    const bytes = this.#heldBytes + end - start;
    if (bytes > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(512, 2 * bytes));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    buffer.copy(this.#held, this.#heldBytes, start, end);
    this.#heldBytes = bytes;
  }

  /** Reads what frames the body (RFC 9112 §6) and the connection's options. Answers a reason when it is not acceptable. */
  protected readFraming(): string | undefined {
    const { fields } = this;
    for (let index = 0; index < fields.count; index++) {
      const id = fields.id(index);
      if (id === FIELD.contentLength) {
        if (this.contentLength >= 0) return "there is more than one Content-Length";
        const text = fields.value(index);
        if (!CONTENT_LENGTH.test(text)) return "Content-Length is not a number";
        this.contentLength = Number(text);
      } else if (id === FIELD.transferEncoding) {
        if (this.chunked) return "there is more than one Transfer-Encoding";
        if (!TRANSFER_CODING.test(fields.value(index)) || fields.hasTabBehind(index))
          return "the only transfer coding understood is chunked";
        this.chunked = true;
      } else if (id === FIELD.connection) this.#readConnection(fields.value(index));
    }
    if (!this.chunked) return undefined;
    if (this.contentLength >= 0) return "both Content-Length and Transfer-Encoding are there";
    return this.minorVersion === 0 ? "HTTP/1.0 has no Transfer-Encoding" : undefined;
  }

  #readConnection(value: string): void {
    if (value === "keep-alive") {
      this.connectionKeepAlive = true;
      return;
    }
    for (const item of value.toLowerCase().split(",")) {
      const option = trimBlanks(item);
      if (option === "close") this.connectionClose = true;
      else if (option === "keep-alive") this.connectionKeepAlive = true;
      else if (option !== "") {
        this.nominated ??= [];
        this.nominated.push(option);
      }
    }
  }
}
