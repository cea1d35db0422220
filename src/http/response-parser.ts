import { INCOMPLETE, REFUSED } from "./field-lines.ts";
import { HeadParser, type HeadState } from "./head-parser.ts";
import { CR, FIELD_VALUE, LF, SPACE, standsAt } from "./octets.ts";

const DIGIT_0 = 48;
/** Length of `HTTP/1.1 200` and the octet after it. */
const STATUS_LENGTH = 13;

/** Reads response heads of an upstream as strictly as request heads are read. */
export class ResponseParser extends HeadParser {
  status = 0;
  /** What stands behind the status code; may be empty. */
  reasonPhrase = "";
  #phraseStart = 0;
  #phraseEnd = 0;

  /** Whether the upstream means to take more requests on this connection. */
  get keepAlive(): boolean {
    return this.minorVersion === 0 ? this.connectionKeepAlive && !this.connectionClose : !this.connectionClose;
  }

  protected override parseFirstLine(octets: Buffer, base: number, start: number, end: number): number {
    if (end - start < STATUS_LENGTH) return this.#mayBecomeStatusLine(octets, start, end);
    const isHttp11 = standsAt("HTTP/1.1 ", octets, start);
    if (!isHttp11 && !standsAt("HTTP/1.0 ", octets, start)) return this.#reject("the answer is not HTTP/1");
    this.minorVersion = isHttp11 ? 1 : 0;
    let at = start + STATUS_LENGTH - 1;
    this.status = statusCode(octets, at - 3);
    if (this.status === 0 || (octets[at] !== SPACE && octets[at] !== CR))
      return this.#reject("the status line is not valid");
    if (octets[at] === SPACE) at++;
    this.#phraseStart = at - base;
    while (at < end && FIELD_VALUE[octets[at]!] === 1) at++;
    if (at === end || (at + 1 === end && octets[at] === CR)) return INCOMPLETE;
    if (octets[at] !== CR || octets[at + 1] !== LF) return this.#reject("the status line is not valid");
    this.#phraseEnd = at - base;
    return at + 2;
  }

  #mayBecomeStatusLine(octets: Buffer, start: number, end: number): number {
    const begun = octets.toString("latin1", start, Math.min(end, start + 7));
    return "HTTP/1.".startsWith(begun) ? INCOMPLETE : this.#reject("the answer is not HTTP/1");
  }

  protected override finish(): HeadState {
    this.reasonPhrase = this.text.substring(this.#phraseStart, this.#phraseEnd);
    const fault = this.readFraming() ?? this.#interimFault();
    return fault === undefined ? "complete" : this.refuse(fault);
  }

  /** One that closes, as each of HTTP/1.0 does, leaves open whether an answer follows. */
  #interimFault(): string | undefined {
    return this.status < 200 && !this.keepAlive ? "an interim answer closes the connection" : undefined;
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
function statusCode(octets: Buffer, start: number): number {
  let status = 0;
  for (let at = start; at < start + 3; at++) {
    const digit = octets[at]! - DIGIT_0;
    if (digit < 0 || digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status >= 100 && status < 600 ? status : 0;
}
