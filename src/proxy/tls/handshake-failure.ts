import type { Cell } from "../counters/shared-state.ts";

/** Why a handshake failed, in few words: what it is counted by. */
export const HANDSHAKE_FAILURES = [
  /** It took longer than it may. */
  "timeout",
  /** The client went away. */
  "closed",
  /** What came was not TLS, such as plain HTTP. */
  "not_tls",
  /** No version or cipher that both speak. */
  "mismatch",
  /** The client's certificate is missing or not believed. */
  "client_certificate",
  /** The client refused, mostly since it does not believe our certificate. */
  "refused",
  /** As many handshakes as may be were going on. */
  "overloaded",
  "other",
] as const;

export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];

/** Where they are counted. */
export const HANDSHAKE_CELLS = {
  timeout: "handshakesTimedOut",
  closed: "handshakesClosed",
  not_tls: "handshakesNotTls",
  mismatch: "handshakesMismatched",
  client_certificate: "handshakesUnauthorized",
  refused: "handshakesRefused",
  overloaded: "handshakesOverloaded",
  other: "handshakesFailedOtherwise",
} as const satisfies Record<HandshakeFailure, Cell>;

const PATTERNS: readonly (readonly [RegExp, HandshakeFailure])[] = [
  [/HANDSHAKE_TIMEOUT/, "timeout"],
  [/HTTP_REQUEST|HTTPS_PROXY_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH|BAD_RECORD_TYPE|RECORD_LAYER/, "not_tls"],
  [/UNSUPPORTED_PROTOCOL|NO_SHARED|VERSION_TOO_LOW|NO_SUITABLE|NO_APPLICATION_PROTOCOL/, "mismatch"],
  [/PEER_DID_NOT_RETURN|CERTIFICATE_VERIFY/, "client_certificate"],
  [/ALERT/, "refused"],
  [/^(?:ECONNRESET|EPIPE|ETIMEDOUT)$/, "closed"],
];

/** @param isUnauthorized whether the client's certificate was looked at and not believed */
export function handshakeFailureOf(error: Error, isUnauthorized: boolean): HandshakeFailure {
  if (isUnauthorized) return "client_certificate";
  const code = "code" in error ? String(error.code) : "";
  return PATTERNS.find(([pattern]) => pattern.test(code))?.[1] ?? "other";
}
