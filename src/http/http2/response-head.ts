import { STATUS_CODES } from "node:http";
import type { ResponseParser } from "../response-parser.ts";
import { CONNECTION_SPECIFIC, FIELD_NAME } from "./field-names.ts";

const STATUS = /^[1-5]\d\d$/;

/**
 * Gives `response` the head of an HTTP/2 response, spelled as HTTP/1.1, as `readRequestHead` does with requests.
 * @param raw names and values in turn, as they came, each one character an octet
 * @returns why it is not taken, or undefined
 */
export function readResponseHead(
  response: ResponseParser,
  raw: readonly string[],
  maxBytes: number,
): string | undefined {
  const [pseudo, status = ""] = raw;
  if (pseudo !== ":status" || !STATUS.test(status)) return "it does not begin with a valid status";
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  for (let at = 2; at + 1 < raw.length; at += 2) {
    const name = raw[at]!;
    if (!FIELD_NAME.test(name) || CONNECTION_SPECIFIC.has(name)) return "a header has no valid name";
    text += `${name}: ${raw[at + 1]!}\r\n`;
  }
  text += "\r\n";
  const octets = Buffer.from(text, "latin1");
  const state = response.feed(octets, 0, octets.length, maxBytes);
  if (state === "refused") return response.refusal.reason;
  const isWhole = state === "complete" && response.consumed === octets.length;
  return isWhole && response.fields.count === raw.length / 2 - 1 ? undefined : "a header has a line end in it";
}
