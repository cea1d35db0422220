import { type FieldLines, MAX_FIELDS } from "./field-lines.ts";
import { FIELD_NAME } from "./http2/field-names.ts";
import { FIELD } from "./known-field.ts";
import { trimBlanks } from "./octets.ts";

/** The fields behind a body (RFC 9110 §6.5), names in lower case and values in turn. */
export type Trailers = readonly string[];

export const NO_TRAILERS: Trailers = [];

/** Who reads them behind the body understands another message than who does not (RFC 9110 §6.5.1): a message with one is refused. */
const FRAMING: ReadonlySet<string> = new Set(["connection", "content-length", "proxy-connection", "transfer-encoding"]);

/**
 * What never goes on behind a body, as a recipient that merges it into the head would take from there what decides about the
 * message: where it goes, who sent it, whether it may, how it is read, how long it is kept (RFC 9110 §6.5.1). What begins with
 * `content-` or `x-forwarded-` is meant too.
 */
const HEAD_ONLY: ReadonlySet<string> = new Set([
  ...["host", "te", "trailer", "upgrade", "keep-alive", "expect", "max-forwards", "via", "http2-settings"],
  ...["forwarded", "x-real-ip", "x-request-id", "x-http-method-override", "early-data", "origin", "referer"],
  ...["authorization", "proxy-authorization", "proxy-authenticate", "proxy-authentication-info", "www-authenticate"],
  ...["authentication-info", "cookie", "set-cookie", "cache-control", "pragma", "age", "expires", "date", "vary"],
  ...["location", "retry-after", "warning", "range", "if-match", "if-none-match", "if-modified-since"],
  ...["if-unmodified-since", "if-range", "alt-svc", "strict-transport-security"],
]);
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
const VALUE = /^[^\x00-\x08\x0a-\x1f\x7f]*$/;
const HEAD_ONLY_FAMILY = /^(?:content-|x-forwarded-|access-control-|sec-)/;

/** @param name in lower case */
export function framesMessage(name: string): boolean {
  return FRAMING.has(name);
}

function mayFollowBody(name: string): boolean {
  return !FRAMING.has(name) && !HEAD_ONLY.has(name) && !HEAD_ONLY_FAMILY.test(name);
}

/**
 * The trailers of a message of HTTP/2, or undefined when HTTP/1.1 would have refused them: pseudo-headers, what frames a message,
 * names in capitals, control characters, more than a head may have.
 * @param raw names and values in turn, each character an octet
 */
export function readTrailers(raw: readonly string[], maxBytes: number): Trailers | undefined {
  if (raw.length > 2 * MAX_FIELDS) return undefined;
  let bytes = 0;
  for (const [index, text] of raw.entries()) {
    bytes += text.length;
    const isValid = index % 2 === 0 ? FIELD_NAME.test(text) && !framesMessage(text) : VALUE.test(text);
    if (!isValid || bytes > maxBytes) return undefined;
  }
  return raw;
}

/** Those names in a head's Trailer field that may stand behind a body, in lower case; undefined when there are none. */
export function announcedTrailers(fields: FieldLines): readonly string[] | undefined {
  if (fields.indexOf(FIELD.trailer) < 0) return undefined;
  const names = fields.joined(FIELD.trailer)!.toLowerCase().split(",").map(trimBlanks);
  const allowed = names.filter((name) => FIELD_NAME.test(name) && mayFollowBody(name));
  return allowed.length > 0 ? [...new Set(allowed)] : undefined;
}

/** The value of the first with this name, or undefined. */
export function trailerOf(trailers: Trailers, name: string): string | undefined {
  for (let at = 0; at + 1 < trailers.length; at += 2) if (trailers[at] === name) return trailers[at + 1];
  return undefined;
}

/** Whether the sender of this head takes fields behind a body (RFC 9110 §10.1.4). */
export function takesTrailers(fields: FieldLines): boolean {
  if (fields.indexOf(FIELD.te) < 0) return false;
  return /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(fields.joined(FIELD.te)!);
}

/**
 * The lines of those that may go on, written anew, each ending with CRLF.
 * @param announced when given, the only names that go on
 */
export function writeTrailers(trailers: Trailers, announced?: readonly string[]): string {
  let lines = "";
  for (let at = 0; at + 1 < trailers.length; at += 2) {
    const name = trailers[at]!;
    if (mayFollowBody(name) && (announced === undefined || announced.includes(name)))
      lines += `${name}: ${trailers[at + 1]!}\r\n`;
  }
  return lines;
}
