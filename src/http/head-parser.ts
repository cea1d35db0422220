import { FieldLines, INCOMPLETE, MAX_FIELDS, REFUSED } from "./field-lines.ts";
import { FIELD } from "./known-field.ts";
import { CR, LF } from "./octets.ts";
import type { Refusal } from "./refusal.ts";

export type HeadState = "incomplete" | "complete" | "refused";

/** Octets decoded at a time: most heads fit, and a large body behind a head is not turned into a string. */
const DECODE_STEP = 4_096;
const TRANSFER_CODING = /^chunked$/i;
const CONTENT_LENGTH = /^\d{1,15}$/;
const NO_REFUSAL: Refusal = { kind: "badRequest", reason: "" };

/**
 * Reads a message head (RFC 9112 §2.1) from octets that arrive in any pieces: first line, field lines, empty line. Goes on
 * line by line where it stopped, so a head that trickles in costs no more than one that comes at once. One parser serves all
 * messages of a connection; what it holds is valid until `reset`.
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
  protected text = "";
  #at = 0;
  #hasFirstLine = false;

  /** Whether anything of a head has arrived. */
  get hasBegun(): boolean {
    return this.text !== "";
  }

  reset(): void {
    this.fields.reset();
    this.text = "";
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
    let at = start;
    for (;;) {
      const step = Math.min(end, at + DECODE_STEP);
      const known = this.text.length;
      this.text += buffer.toString("latin1", at, step);
      const state = this.#parse(maxBytes);
      if (state !== "incomplete") {
        this.consumed = at - start + this.#at - known;
        return state;
      }
      at = step;
      if (at >= end) return state;
    }
  }

  /** Reads the first line at `start`. Answers the position after it, INCOMPLETE or REFUSED. */
  protected abstract parseFirstLine(text: string, start: number): number;
  /** Understands the fields of a complete head. */
  protected abstract finish(): HeadState;
  /** What a head that is too long is. */
  protected abstract refuseLength(inFirstLine: boolean): HeadState;
  protected abstract refuse(reason: string): HeadState;

  #parse(maxBytes: number): HeadState {
    const { text } = this;
    if (!this.#hasFirstLine) {
      const next = this.parseFirstLine(text, this.#at);
      if (next === REFUSED) return "refused";
      if (next === INCOMPLETE) return text.length > maxBytes ? this.refuseLength(true) : "incomplete";
      if (next > maxBytes) return this.refuseLength(true);
      this.#hasFirstLine = true;
      this.#at = next;
    }
    for (;;) {
      const at = this.#at;
      if (at > maxBytes) return this.refuseLength(false);
      if (text.charCodeAt(at) === CR) {
        if (text.length === at + 1) return "incomplete";
        if (text.charCodeAt(at + 1) !== LF) return this.refuse("a bare CR stands in the head");
        this.#at = at + 2;
        return this.#at > maxBytes ? this.refuseLength(false) : this.finish();
      }
      const next = at < text.length ? this.fields.add(text, at) : INCOMPLETE;
      if (next === INCOMPLETE) return text.length > maxBytes ? this.refuseLength(false) : "incomplete";
      if (next === REFUSED)
        return this.fields.count === MAX_FIELDS ? this.refuseLength(false) : this.refuse(this.fields.reason);
      this.#at = next;
    }
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
        if (!TRANSFER_CODING.test(fields.value(index))) return "the only transfer coding understood is chunked";
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
      const option = item.trim();
      if (option === "close") this.connectionClose = true;
      else if (option === "keep-alive") this.connectionKeepAlive = true;
      else if (option !== "") {
        this.nominated ??= [];
        this.nominated.push(option);
      }
    }
  }
}
