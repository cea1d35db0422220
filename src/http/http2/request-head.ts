import { isBlank } from "../octets.ts";
import type { Refusal } from "../refusal.ts";
import type { RequestParser } from "../request-parser.ts";
import { CONNECTION_SPECIFIC, FIELD_NAME } from "./field-names.ts";

const SCHEME = /^[a-z][a-z0-9+.-]*$/i;

/**
 * Gives `request` the head of an HTTP/2 request, spelled as HTTP/1.1: so there is one parser that decides what a valid request is,
 * and nothing can mean one thing here and another when it is sent upstream. That no value smuggles in a line of its own is shown
 * by counting: the parser has to find exactly the lines that were written, and the end of the head at their end.
 *
 * @param raw names and values in turn, as they came, each one character an octet
 * @param isComplete whether no body follows
 * @returns why it is not taken, or undefined
 */
export function readRequestHead(
  request: RequestParser,
  raw: readonly string[],
  isComplete: boolean,
  maxBytes: number,
): Refusal | undefined {
  const head = new Head();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const reason = head.add(raw[at]!, raw[at + 1]!);
    if (reason !== undefined) return { kind: "badRequest", reason };
  }
  if (!head.isWhole) return { kind: "badRequest", reason: "a pseudo-header is missing or not valid" };
  const text = head.write(isComplete);
  if (text.length > maxBytes)
    return { kind: "headerTooLarge", reason: "the head has more octets or lines than it may have" };
  const octets = Buffer.from(text, "latin1");
  const state = request.feed(octets, 0, octets.length, maxBytes);
  if (state === "refused") return request.refusal;
  if (state !== "complete" || request.consumed !== octets.length || request.fields.count !== head.lineCount)
    return { kind: "badRequest", reason: "a header has a line end in it" };
  if (isComplete && request.contentLength > 0)
    return { kind: "badRequest", reason: "the body is shorter than its Content-Length" };
  return undefined;
}

class Head {
  lineCount = 0;
  #method: string | undefined;
  #path: string | undefined;
  #scheme: string | undefined;
  #authority: string | undefined;
  #lines = "";
  #cookie: string | undefined;
  #hasLength = false;
  /** Whether pseudo-headers come too late (RFC 9113 §8.3). */
  #hasFields = false;

  /** Answers a reason when the field is not acceptable. */
  add(name: string, value: string): string | undefined {
    if (name.startsWith(":")) return this.#pseudo(name, value);
    this.#hasFields = true;
    if (!FIELD_NAME.test(name)) return "a header has no valid name";
    if (CONNECTION_SPECIFIC.has(name)) return `${name} has no place in HTTP/2`;
    if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1)))
      return "a header begins or ends with a blank";
    if (name === "te" && value !== "trailers") return "te may say nothing but trailers in HTTP/2";
    // Browsers send a cookie in pieces, which only HTTP/2 may (RFC 9113 §8.2.3).
    if (name === "cookie") this.#cookie = this.#cookie === undefined ? value : `${this.#cookie}; ${value}`;
    else if (name !== "host" || value !== this.#authority) this.#line(name, value);
    if (name === "content-length") this.#hasLength = true;
    return undefined;
  }

  /** Whether the pseudo-headers are there that have to be (RFC 9113 §8.3.1). CONNECT, which is refused, has others (§8.5). */
  get isWhole(): boolean {
    if (this.#method === "CONNECT") this.#path ??= this.#authority;
    else if (this.#scheme === undefined || !SCHEME.test(this.#scheme)) return false;
    return this.#method !== undefined && this.#path !== undefined;
  }

  write(isComplete: boolean): string {
    if (this.#cookie !== undefined) this.#line("cookie", this.#cookie);
    if (!isComplete && !this.#hasLength) this.#line("transfer-encoding", "chunked");
    return `${this.#method} ${this.#path} HTTP/1.1\r\n${this.#lines}\r\n`;
  }

  #line(name: string, value: string): void {
    this.#lines += `${name}: ${value}\r\n`;
    this.lineCount++;
  }

  #pseudo(name: string, value: string): string | undefined {
    if (this.#hasFields) return "a pseudo-header stands behind a header";
    if (name === ":method" && this.#method === undefined) this.#method = value;
    else if (name === ":scheme" && this.#scheme === undefined) this.#scheme = value;
    else if (name === ":path" && this.#path === undefined) {
      // Not the absolute form, whose authority would overrule the one that was checked.
      if (!value.startsWith("/") && value !== "*") return ":path is not valid";
      this.#path = value;
    } else if (name === ":authority" && this.#authority === undefined) {
      this.#authority = value;
      this.#line("host", value);
    } else return "a pseudo-header is not known, or there twice";
    return undefined;
  }
}
