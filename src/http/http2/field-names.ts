/** What a field of HTTP/2 may be called: a token without capitals (RFC 9113 §8.2.1). */
export const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** What is about one HTTP/1.1 connection has no place in HTTP/2 (RFC 9113 §8.2.2). */
export const CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
