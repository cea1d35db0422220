import type { Message } from "./reading.ts";

/**
 * Where we and llhttp differ on purpose, and why. The list is closed: everything else is a disagreement. (That we refuse more
 * than it does is no difference: a message that we do not take has no borders.)
 */
export const KNOWN_DIFFERENCES = {
  "unknown method":
    "llhttp has a closed list of methods, for us any token is one (RFC 9110 §16.1.1 keeps the list open). It is shown GET instead, so that all else is compared.",
  "status without a body":
    "Answers to HEAD and 1xx, 204 and 304 have no body whatever their fields say (RFC 9112 §6.3). llhttp leaves this to its user, so it is told.",
  "announced body of a 204":
    "A 204 that announces a body leaves open whether one follows, so we do not use the connection again; llhttp would.",
  "close and keep-alive":
    "An HTTP/1.0 message with both options is for us the last one, since closing is always safe; llhttp lets keep-alive win.",
  "request for an upgrade":
    "llhttp stops behind a request that asks for an upgrade, even one that closes. Who does not upgrade goes on (RFC 9110 §7.8), and so it is made to.",
  "Proxy-Connection":
    "llhttp takes it for Connection. It was never part of HTTP and must mean nothing (RFC 9112 §C.2.2), so it is shown under another name.",
} as const satisfies Record<string, string>;

export type KnownDifference = keyof typeof KNOWN_DIFFERENCES;

/** What llhttp is shown instead of a name that is in the list. */
export function renamed(name: string): string {
  return name.toLowerCase() === "proxy-connection" ? "Proxy-Connectiom" : name;
}

/** Fields as llhttp is shown them. */
export function withRenamed(fields: readonly string[]): readonly string[] {
  return fields.map((text, index) => (index % 2 === 0 ? renamed(text) : text));
}

/** Why `message` may be the last one for us and not for llhttp. */
export function reasonToClose(message: Message): KnownDifference | undefined {
  if (asksForUpgrade(message)) return "request for an upgrade";
  if (message.kind === "204" && announcesBody(message)) return "announced body of a 204";
  const options = valuesOf(message, "connection").join().toLowerCase();
  if (message.minorVersion === 0 && /\bclose\b/.test(options) && /\bkeep-alive\b/.test(options))
    return "close and keep-alive";
  return undefined;
}

/** Of a response, RFC 9112 §6.3, 1. */
export function hasNoBody(status: number, answersHead: boolean): boolean {
  return answersHead || status < 200 || status === 204 || status === 304;
}

export function asksForUpgrade(message: Message): boolean {
  return valuesOf(message, "upgrade").length > 0 && /\bupgrade\b/i.test(valuesOf(message, "connection").join());
}

function announcesBody(message: Message): boolean {
  return valuesOf(message, "transfer-encoding").length > 0 || Number(valuesOf(message, "content-length")[0] ?? 0) > 0;
}

function valuesOf({ fields }: Message, lowerName: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < fields.length; at += 2)
    if (fields[at]!.toLowerCase() === lowerName) values.push(fields[at + 1]!);
  return values;
}
