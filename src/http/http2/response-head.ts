/** What only HTTP/1.1 says about a connection (RFC 9113 §8.2.2). */
const CONNECTION_SPECIFIC = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);
/** `HTTP/1.1 200` */
const STATUS_START = 9;
const STATUS_END = 12;

/**
 * The header list that a head of ours becomes in HTTP/2: names and values in turn, beginning with `:status`.
 * @param text as we write heads: `Name: value`, CRLF, and an empty line at `end - 2`
 */
export function readResponseHead(text: string, end: number): string[] {
  const status = text.substring(STATUS_START, STATUS_END);
  return [":status", status, ...readFieldLines(text, text.indexOf("\r\n") + 2, end - 2)];
}

/** The lines from `firstStart` to `end` as names in lower case and values in turn. */
export function readFieldLines(text: string, firstStart: number, end: number): string[] {
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
