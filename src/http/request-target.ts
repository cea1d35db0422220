import { HEX_VALUE } from "./octets.ts";

/** A request target in origin form (RFC 9112 §3.2.1), split. */
export interface RequestTarget {
  /** Normalised, see `normalisePath`; `*` for the server as a whole. */
  readonly path: string;
  /** With its question mark, as it came; empty when there is none. */
  readonly query: string;
  /** Host and port of an absolute form, which stand above the Host field. */
  readonly authority: string | undefined;
}

const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i;
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d{0,5})?$/;

/** Whether the text may be the value of a Host field: `uri-host [":" port]` (RFC 9110 §7.2), without user information. */
export function isAuthority(text: string): boolean {
  return AUTHORITY.test(text);
}

/** Takes a target apart; undefined when it has none of the forms that a proxy answers. Its octets are known to be allowed. */
export function parseTarget(method: string, target: string): RequestTarget | undefined {
  if (target === "*") return method === "OPTIONS" ? { path: "*", query: "", authority: undefined } : undefined;
  if (target.startsWith("/")) return parseOriginForm(target, undefined);
  const [, authority, rest] = ABSOLUTE.exec(target) ?? [];
  if (authority === undefined || rest === undefined || authority === "" || !isAuthority(authority)) return undefined;
  return parseOriginForm(rest.startsWith("/") ? rest : `/${rest}`, authority);
}

function parseOriginForm(target: string, authority: string | undefined): RequestTarget | undefined {
  const mark = target.indexOf("?");
  const path = normalisePath(mark < 0 ? target : target.substring(0, mark));
  return path === undefined ? undefined : { path, query: mark < 0 ? "" : target.substring(mark), authority };
}

/**
 * The path as it is both matched and sent, so that no one can reach through a route what the route does not stand for:
 * percent-encoded unreserved characters are decoded and the other escapes written in capitals (RFC 3986 §6.2.2), then dot
 * segments are resolved (§5.2.4). `%2F` stays as it is and empty segments are kept: both can mean something to an upstream.
 * Undefined when the path leaves its root, or has a malformed escape or an encoded NUL.
 */
export function normalisePath(path: string): string | undefined {
  const decoded = path.includes("%") ? decodeUnreserved(path) : path;
  return decoded?.includes("/.") ? resolveDots(decoded) : decoded;
}

function decodeUnreserved(path: string): string | undefined {
  let out = "";
  let copied = 0;
  for (let at = path.indexOf("%"); at >= 0; at = path.indexOf("%", at + 3)) {
    if (at + 2 >= path.length) return undefined;
    const high = HEX_VALUE[path.charCodeAt(at + 1)]!;
    const low = HEX_VALUE[path.charCodeAt(at + 2)]!;
    const code = high * 16 + low;
    if (high > 15 || low > 15 || code === 0) return undefined;
    const character = String.fromCharCode(code);
    out += path.substring(copied, at);
    out += /[\w.~-]/.test(character) ? character : path.substring(at, at + 3).toUpperCase();
    copied = at + 3;
  }
  return out + path.substring(copied);
}

function resolveDots(path: string): string | undefined {
  const segments = path.split("/");
  const last = segments.at(-1);
  const kept: string[] = [];
  for (const segment of segments.slice(1)) {
    if (segment === "..") {
      if (kept.pop() === undefined) return undefined;
    } else if (segment !== ".") kept.push(segment);
  }
  if (last === "." || last === "..") kept.push("");
  return `/${kept.join("/")}`;
}
