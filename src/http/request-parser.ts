import type { FailureKind } from "../core/failure.ts";
import { INCOMPLETE, REFUSED } from "./field-lines.ts";
import { HeadParser, type HeadState } from "./head-parser.ts";
import { FIELD } from "./known-field.ts";
import {
  CR,
  LF,
  QUESTION_MARK,
  SLASH,
  SPACE,
  standsAt,
  TARGET_DOT,
  TARGET_OCTET,
  TARGET_PERCENT,
  TOKEN_LOWER,
} from "./octets.ts";
import { isAuthority, parseTarget } from "./request-target.ts";

const MAX_METHOD_LENGTH = 32;
const VERSION_LENGTH = 8;
const VERSION = /^HTTP\/(\d)\.(\d)\r\n$/;
const PART_OF_VERSION = /^(?:H|HT|HTT|HTTP|HTTP\/|HTTP\/\d|HTTP\/\d\.|HTTP\/\d\.\d\r?)?$/;

/** With this line and an empty one a client begins that speaks HTTP/2 without asking (RFC 9113 §3.4). */
export const HTTP2_PREFACE_LINE = "PRI * HTTP/2.0\r\n";

/** Reads request heads, strictly: see `HeadParser`, `FieldLines` and `normalisePath` for what is refused. */
export class RequestParser extends HeadParser {
  method = "";
  /** In origin form and normalised, see `normalisePath`. */
  path = "";
  /** With its question mark; empty when there is none. */
  query = "";
  /** Host and port that the client asked for; empty for an HTTP/1.0 request that names none. */
  host = "";
  /** Whether the client waits for 100 before it sends the body (RFC 9110 §10.1.1). */
  expectsContinue = false;
  /** Whether the head was refused since it is the beginning of HTTP/2; `consumed` counts nothing of it. */
  isHttp2Preface = false;
  // The first line, counted from the start of the head.
  #methodStart = 0;
  #methodEnd = 0;
  /** Where the query begins; the end of the target when there is none. */
  #mark = 0;
  #targetEnd = 0;
  /** Whether the target is in origin form and its path already normalised. */
  #isPlain = false;
  #authority: string | undefined;
  /** Valid, and mostly the one that comes next. */
  #lastHost = "";

  /** Whether the client means to send more requests on this connection. */
  get keepAlive(): boolean {
    return this.minorVersion === 0 ? this.connectionKeepAlive && !this.connectionClose : !this.connectionClose;
  }

  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0;
  }

  override reset(): void {
    super.reset();
    this.method = "";
  }

  /** `method SP target SP version CRLF`; one empty line before it is overlooked (RFC 9112 §2.2). */
  protected override parseFirstLine(octets: Buffer, base: number, start: number, end: number): number {
    let at = start;
    if (octets[at] === CR) {
      if (at + 1 === end) return INCOMPLETE;
      if (octets[at + 1] !== LF) return this.#reject("a bare CR stands before the request line");
      at += 2;
    }
    const methodStart = at;
    while (at < end && TOKEN_LOWER[octets[at]!] !== 0) at++;
    if (at - methodStart > MAX_METHOD_LENGTH) return this.#reject("the method is too long");
    if (at >= end) return INCOMPLETE;
    if (at === methodStart || octets[at] !== SPACE) return this.#reject("the request line has no valid method");
    this.#methodStart = methodStart - base;
    this.#methodEnd = at - base;
    return this.#scanTarget(octets, base, at + 1, end);
  }

  #scanTarget(octets: Buffer, base: number, start: number, end: number): number {
    let at = start;
    let seen = 0;
    let mark = -1;
    for (let meaning = 0; at < end; at++) {
      const octet = octets[at]!;
      meaning = TARGET_OCTET[octet]!;
      if (meaning === 0) break;
      if (mark >= 0) continue;
      if (octet === QUESTION_MARK) mark = at;
      else seen |= meaning;
    }
    if (at === end) return INCOMPLETE;
    if (at === start || octets[at] !== SPACE) return this.#reject("the request target is not valid");
    this.#targetEnd = at - base;
    this.#mark = mark < 0 ? this.#targetEnd : mark - base;
    this.#isPlain = octets[start] === SLASH && (seen & (TARGET_DOT | TARGET_PERCENT)) === 0;
    return this.#parseVersion(octets, base, at + 1, end);
  }

  #parseVersion(octets: Buffer, base: number, start: number, end: number): number {
    const next = start + VERSION_LENGTH + 2;
    if (next <= end && standsAt("HTTP/1.1\r\n", octets, start)) return next;
    const text = octets.toString("latin1", start, Math.min(end, next));
    if (next > end) return PART_OF_VERSION.test(text) ? INCOMPLETE : this.#reject("the version is not valid");
    const [, major, minor] = VERSION.exec(text) ?? [];
    if (major === undefined || minor === undefined) return this.#reject("the version is not valid");
    this.isHttp2Preface = major === "2" && standsAt(HTTP2_PREFACE_LINE, octets, base);
    if (major !== "1" || Number(minor) > 1)
      return this.#reject("only HTTP/1.0 and HTTP/1.1 are served here", "httpVersionNotSupported");
    this.minorVersion = Number(minor);
    return next;
  }

  protected override finish(): HeadState {
    this.method = this.text.substring(this.#methodStart, this.#methodEnd);
    if (this.method === "CONNECT") return this.refuse("CONNECT is not served here", "methodNotImplemented");
    const fault = this.#readTarget() ?? this.readFraming() ?? this.#readHost();
    if (fault !== undefined) return this.refuse(fault);
    this.expectsContinue = false;
    const expect = this.fields.indexOf(FIELD.expect);
    if (expect < 0 || this.minorVersion === 0) return "complete";
    if (this.fields.joined(FIELD.expect)?.toLowerCase() !== "100-continue")
      return this.refuse("the only expectation understood is 100-continue", "expectationFailed");
    this.expectsContinue = this.hasBody;
    return "complete";
  }

  #readTarget(): string | undefined {
    const start = this.#methodEnd + 1;
    if (this.#isPlain) {
      this.#authority = undefined;
      this.path = this.text.substring(start, this.#mark);
      this.query = this.text.substring(this.#mark, this.#targetEnd);
      return undefined;
    }
    const target = parseTarget(this.method, this.text.substring(start, this.#targetEnd));
    if (target === undefined) return "the request target is not valid";
    this.#authority = target.authority;
    this.path = target.path;
    this.query = target.query;
    return undefined;
  }

  /** RFC 9112 §3.2: one Host, which an absolute target overrules. */
  #readHost(): string | undefined {
    const { fields } = this;
    const index = fields.indexOf(FIELD.host);
    if (index < 0) {
      this.host = this.#authority ?? "";
      return this.minorVersion === 1 ? "Host is missing" : undefined;
    }
    for (let other = index + 1; other < fields.count; other++)
      if (fields.id(other) === FIELD.host) return "there is more than one Host";
    const host = fields.value(index);
    if (host !== this.#lastHost && !isAuthority(host)) return "Host is not valid";
    this.#lastHost = host;
    this.host = this.#authority ?? host;
    return undefined;
  }

  protected override refuse(reason: string, kind: FailureKind = "badRequest"): HeadState {
    this.refusal = { kind, reason };
    return "refused";
  }

  protected override refuseLength(inFirstLine: boolean): HeadState {
    return inFirstLine
      ? this.refuse("the request line is longer than a head may be", "uriTooLong")
      : this.refuse("the head has more octets or lines than it may have", "headerTooLarge");
  }

  #reject(reason: string, kind?: FailureKind): number {
    this.refuse(reason, kind);
    return REFUSED;
  }
}
