import { CONNECTION_SPECIFIC } from "./field-names.ts";

/**
 * The header list that a request of ours becomes in HTTP/2: names and values in turn, beginning with the pseudo-headers.
 * @param text as we write heads: `Name: value`, CRLF, Host first, and an empty line at `end - 2`
 */
export function requestList(text: string, end: number, scheme: string): string[] {
  const lineEnd = text.indexOf("\r\n");
  const [method = "", path = ""] = text.substring(0, lineEnd).split(" ");
  const fields = fieldList(text, lineEnd + 2, end - 2);
  const host = fields.indexOf("host");
  const [, authority = ""] = fields.splice(host, 2);
  return [":method", method, ":scheme", scheme, ":authority", authority, ":path", path, ...fields];
}

/** The lines from `firstStart` to `end` as names in lower case and values in turn. */
export function fieldList(text: string, firstStart: number, end: number): string[] {
  const list: string[] = [];
  let start = firstStart;
  while (start < end) {
    const lineEnd = text.indexOf("\r\n", start);
    const colon = text.indexOf(":", start);
    const name = text.substring(start, colon).toLowerCase();
    if (!CONNECTION_SPECIFIC.has(name)) list.push(name, text.substring(colon + 2, lineEnd));
    start = lineEnd + 2;
  }
  return list;
}

/** In the form that the runtime takes where it takes no list. */
export function asHeaders(list: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at]!;
    const before = headers[name];
    headers[name] = before === undefined ? list[at + 1]! : [...[before].flat(), list[at + 1]!];
  }
  return headers;
}
