import { FIELD } from "../../http/known-field.ts";
import type { RequestParser } from "../../http/request-parser.ts";

/**
 * The protocol that a request asks to switch to (RFC 9110 §7.8), in lower case, or undefined when it asks for none or may not have
 * it: then it goes on as an ordinary request. A request with a body cannot switch, since the body would stand between the
 * protocols; a WebSocket is opened with GET only (RFC 6455 §4.1).
 */
export function upgradeOf(request: RequestParser, allowed: readonly string[]): string | undefined {
  if (request.fields.indexOf(FIELD.upgrade) < 0) return undefined;
  const asked = request.fields.joined(FIELD.upgrade)?.toLowerCase() ?? "";
  if (request.minorVersion === 0 || request.hasBody || !request.nominated?.includes("upgrade")) return undefined;
  if (asked === "websocket" && request.method !== "GET") return undefined;
  return allowed.includes(asked) ? asked : undefined;
}
