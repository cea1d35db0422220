import { INCOMPLETE, REFUSED } from "./field-lines.ts";
import { HeadParser, type HeadState } from "./head-parser.ts";
import { FIELD } from "./known-field.ts";
import {
  CR,
  LF,
  QUESTION_MARK,
  SLASH,
  SPACE,
  TARGET_DOT,
  TARGET_OCTET,
  TARGET_PERCENT,
  TOKEN_LOWER,
} from "./octets.ts";
import { isAuthority, parseTarget } from "./request-target.ts";

const MAX_METHOD_LENGTH = 32;
const VERSION = /^HTTP\/(\d)\.(\d)$/;

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
  protected override parseFirstLine(text: string, start: number): number {
    let at = start;
    if (text.charCodeAt(at) === CR) {
      if (text.length < at + 2) return INCOMPLETE;
      if (text.charCodeAt(at + 1) !== LF) return this.#reject("a bare CR stands before the request line");
      at += 2;
    }
    const methodStart = at;
    while (at < text.length && TOKEN_LOWER[text.charCodeAt(at)] !== 0) at++;
    if (at - methodStart > MAX_METHOD_LENGTH) return this.#reject("the method is too long");
    if (at === text.length) return INCOMPLETE;
    if (at === methodStart || text.charCodeAt(at) !== SPACE)
      return this.#reject("the request line has no valid method");
    const method = text.substring(methodStart, at);
    return this.#parseTarget(text, at + 1, method);
  }

  #parseTarget(text: string, start: number, method: string): number {
    let at = start;
    let seen = 0;
    let mark = -1;
    for (let meaning = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      meaning = TARGET_OCTET[code]!;
      if (meaning === 0) break;
      if (mark >= 0) continue;
      if (code === QUESTION_MARK) mark = at;
      else seen |= meaning;
    }
    if (at === text.length) return INCOMPLETE;
    if (at === start || text.charCodeAt(at) !== SPACE) return this.#reject("the request target is not valid");
    const next = this.#parseVersion(text, at + 1);
    if (next < 0) return next;
    this.method = method;
    if (method === "CONNECT") return this.#reject("CONNECT is not served here", "methodNotImplemented");
    if (text.charCodeAt(start) === SLASH && (seen & (TARGET_DOT | TARGET_PERCENT)) === 0) {
      this.#authority = undefined;
      this.path = text.substring(start, mark < 0 ? at : mark);
      this.query = mark < 0 ? "" : text.substring(mark, at);
      return next;
    }
    const target = parseTarget(method, text.substring(start, at));
    if (target === undefined) return this.#reject("the request target is not valid");
    this.#authority = target.authority;
    this.path = target.path;
    this.query = target.query;
    return next;
  }

  #parseVersion(text: string, start: number): number {
    if (text.startsWith("HTTP/1.1\r\n", start)) {
      this.minorVersion = 1;
      return start + 10;
    }
    const end = start + 8;
    if (text.length < end + 2)
      return isPartOfVersion(text, start) ? INCOMPLETE : this.#reject("the version is not valid");
    const match = VERSION.exec(text.substring(start, end));
    if (match === null || text.charCodeAt(end) !== CR || text.charCodeAt(end + 1) !== LF)
      return this.#reject("the version is not valid");
    if (match[1] !== "1" || Number(match[2]) > 1)
      return this.#reject("only HTTP/1.0 and HTTP/1.1 are served here", "httpVersionNotSupported");
    this.minorVersion = Number(match[2]);
    return end + 2;
  }

  protected override finish(): HeadState {
    const fault = this.readFraming() ?? this.#readHost();
    if (fault !== undefined) return this.refuse(fault);
    this.expectsContinue = false;
    const expect = this.fields.indexOf(FIELD.expect);
    if (expect < 0 || this.minorVersion === 0) return "complete";
    if (this.fields.joined(FIELD.expect)?.toLowerCase() !== "100-continue") {
      this.refusal = { kind: "expectationFailed", reason: "the only expectation understood is 100-continue" };
      return "refused";
    }
    this.expectsContinue = this.hasBody;
    return "complete";
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

  protected override refuse(reason: string): HeadState {
    this.refusal = { kind: "badRequest", reason };
    return "refused";
  }

  protected override refuseLength(inFirstLine: boolean): HeadState {
    this.refusal = inFirstLine
      ? { kind: "uriTooLong", reason: "the request line is longer than a head may be" }
      : { kind: "headerTooLarge", reason: "the head has more octets or lines than it may have" };
    return "refused";
  }

  #reject(
    reason: string,
    kind: "badRequest" | "methodNotImplemented" | "httpVersionNotSupported" = "badRequest",
  ): number {
    this.refusal = { kind, reason };
    return REFUSED;
  }
}

function isPartOfVersion(text: string, start: number): boolean {
  return /^(?:H|HT|HTT|HTTP|HTTP\/|HTTP\/\d|HTTP\/\d\.|HTTP\/\d\.\d\r?)?$/.test(text.substring(start));
}
