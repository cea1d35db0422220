import { INCOMPLETE, REFUSED } from "./field-lines.ts";
import { HeadParser, type HeadState } from "./head-parser.ts";
import { CR, FIELD_VALUE, LF, SPACE } from "./octets.ts";

const DIGIT_0 = 48;
/** Length of `HTTP/1.1 200` and the octet after it. */
const STATUS_LENGTH = 13;

/** Reads response heads of an upstream as strictly as request heads are read. */
export class ResponseParser extends HeadParser {
  status = 0;
  /** What stands behind the status code; may be empty. */
  reasonPhrase = "";

  /** Whether the upstream means to take more requests on this connection. */
  get keepAlive(): boolean {
    return this.minorVersion === 0 ? this.connectionKeepAlive && !this.connectionClose : !this.connectionClose;
  }

  protected override parseFirstLine(text: string, start: number): number {
    if (text.length < start + STATUS_LENGTH) return this.#mayBecomeStatusLine(text, start);
    const isHttp11 = text.startsWith("HTTP/1.1 ", start);
    if (!isHttp11 && !text.startsWith("HTTP/1.0 ", start)) return this.#reject("the answer is not HTTP/1");
    this.minorVersion = isHttp11 ? 1 : 0;
    let at = start + STATUS_LENGTH - 1;
    this.status = statusCode(text, at - 3);
    const code = text.charCodeAt(at);
    if (this.status === 0 || (code !== SPACE && code !== CR)) return this.#reject("the status line is not valid");
    if (text.charCodeAt(at) === SPACE) at++;
    const phraseStart = at;
    while (at < text.length && FIELD_VALUE[text.charCodeAt(at)] === 1) at++;
    if (at === text.length || (at + 1 === text.length && text.charCodeAt(at) === CR)) return INCOMPLETE;
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF)
      return this.#reject("the status line is not valid");
    this.reasonPhrase = text.substring(phraseStart, at);
    return at + 2;
  }

  #mayBecomeStatusLine(text: string, start: number): number {
    const begun = text.substring(start);
    return "HTTP/1.".startsWith(begun.substring(0, 7)) ? INCOMPLETE : this.#reject("the answer is not HTTP/1");
  }

  protected override finish(): HeadState {
    const fault = this.readFraming();
    return fault === undefined ? "complete" : this.refuse(fault);
  }

  protected override refuse(reason: string): HeadState {
    this.refusal = { kind: "upstreamInvalid", reason };
    return "refused";
  }

  protected override refuseLength(): HeadState {
    return this.refuse("the head has more octets or lines than it may have");
  }

  #reject(reason: string): number {
    this.refuse(reason);
    return REFUSED;
  }
}

/** The three digits at `start`, 0 when they are not a status code of HTTP. */
function statusCode(text: string, start: number): number {
  let status = 0;
  for (let at = start; at < start + 3; at++) {
    const digit = text.charCodeAt(at) - DIGIT_0;
    if (digit < 0 || digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status >= 100 && status < 600 ? status : 0;
}
