import type { FieldLines } from "./field-lines.ts";

/** The value of the first cookie of that name, as it was sent (RFC 6265 §4.2.1), or undefined. */
export function cookieOf(fields: FieldLines, name: string): string | undefined {
  for (let index = 0; index < fields.count; index++) {
    if (fields.name(index).toLowerCase() !== "cookie") continue;
    const value = valueIn(fields.value(index), name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function valueIn(cookies: string, name: string): string | undefined {
  for (const pair of cookies.split(";")) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.substring(0, equals).trim() === name) return pair.substring(equals + 1).trim();
  }
  return undefined;
}
