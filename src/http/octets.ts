/** Which octets may stand where in a message head, as tables that a scan looks into. Octets are those of latin1. */

function octetTable(meaningOf: (character: string, code: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => meaningOf(String.fromCharCode(code), code));
}

/** The lower-case code of each octet that a token may have (RFC 9110 §5.6.2), 0 for every other. */
export const TOKEN_LOWER = octetTable((character) =>
  /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(character) ? character.toLowerCase().charCodeAt(0) : 0,
);

/** 1 for each octet that a field value may have (RFC 9110 §5.5): tab, space, visible ASCII and octets above it. */
export const FIELD_VALUE = octetTable((_, code) => (code === 9 || (code >= 32 && code !== 127) ? 1 : 0));

/**
 * What each octet means in a request target: 0 refused, otherwise a set of bits. Allowed is what RFC 3986 allows and
 * `[ ] { } | ^` and the backtick, which browsers send as they are.
 */
const TARGET_PLAIN = 1;
export const TARGET_DOT = 2;
export const TARGET_PERCENT = 4;
export const TARGET_OCTET = octetTable((character, code) => {
  if (code <= 32 || code >= 127 || '"#<>\\'.includes(character)) return 0;
  if (character === ".") return TARGET_PLAIN | TARGET_DOT;
  return character === "%" ? TARGET_PLAIN | TARGET_PERCENT : TARGET_PLAIN;
});

/** The value of each hexadecimal digit, 255 for every other octet. */
export const HEX_VALUE = octetTable((character) =>
  /[0-9A-Fa-f]/.test(character) ? Number.parseInt(character, 16) : 255,
);

const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const COLON = 58;
export const SEMICOLON = 59;
export const SLASH = 47;
export const QUESTION_MARK = 63;
export const EQUALS_SIGN = 61;
export const QUOTATION_MARK = 34;
export const BACKSLASH = 92;

/**
 * Without the blanks around it, which are space and tab and nothing more (RFC 9110 §5.6.3). A regular expression for the blanks at
 * the end would look at a long row of blanks in the middle once for each of them.
 */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}

export function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB;
}

/** Whether `text` stands in `octets` at `start`. */
export function standsAt(text: string, octets: Buffer, start: number): boolean {
  for (let at = 0; at < text.length; at++) if (octets[start + at] !== text.charCodeAt(at)) return false;
  return true;
}
