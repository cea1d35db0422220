import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { RequestParser } from "./request-parser.ts";

const MAX_BYTES = 8_192;

function parse(text: string, pieces: readonly number[] = []): RequestParser & { state: string } {
  const parser = new RequestParser();
  const bytes = Buffer.from(text, "latin1");
  let state = "incomplete";
  let at = 0;
  for (const size of [...pieces, bytes.length]) {
    const end = Math.min(bytes.length, at + size);
    if (end > at && state === "incomplete") state = parser.feed(bytes, at, end, MAX_BYTES);
    at = end;
  }
  return Object.assign(parser, { state });
}

const head = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;
const get = (...fields: string[]) => head("GET / HTTP/1.1", "Host: a", ...fields);

describe("a request head that is refused", () => {
  const refused: Record<string, string> = {
    "length with chunked": get("Content-Length: 5", "Transfer-Encoding: chunked"),
    "chunked with length": get("Transfer-Encoding: chunked", "Content-Length: 5"),
    "two lengths": get("Content-Length: 5", "Content-Length: 6"),
    "two equal lengths": get("Content-Length: 5", "Content-Length: 5"),
    "a list of lengths": get("Content-Length: 5, 5"),
    "a negative length": get("Content-Length: -5"),
    "a signed length": get("Content-Length: +5"),
    "a hexadecimal length": get("Content-Length: 0x5"),
    "a length with a space": get("Content-Length: 5 5"),
    "an empty length": get("Content-Length:"),
    "a length that overflows": get("Content-Length: 99999999999999999999"),
    "an unknown transfer coding": get("Transfer-Encoding: gzip"),
    "chunked not last": get("Transfer-Encoding: chunked, gzip"),
    "chunked behind another coding": get("Transfer-Encoding: gzip, chunked"),
    "chunked twice": get("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "chunked with a vertical tab": get("Transfer-Encoding: \x0bchunked"),
    "a tab behind chunked": get("Transfer-Encoding: chunked \t"),
    "chunked in quotes": get('Transfer-Encoding: "chunked"'),
    "chunked on HTTP/1.0": head("POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked"),
    "obsolete line folding": get("X: a", " b"),
    "folding of the first line": head("GET / HTTP/1.1", " Host: a"),
    "a bare LF after the request line": "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "a bare LF after a field": "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "a bare LF as the empty line": "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "a bare CR in a value": get("X: a\rb"),
    "a bare CR as line end": "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    "a bare CR before the empty line": "GET / HTTP/1.1\r\nHost: a\r\n\rX",
    "NUL in a value": get("X: a\0b"),
    "NUL in a name": get("X\0: a"),
    "a control character in a value": get("X: a\x01b"),
    "DEL in a value": get("X: a\x7fb"),
    "a space before the colon": get("Content-Length : 5"),
    "a tab before the colon": get("X\t: 5"),
    "an empty name": get(": a"),
    "a line without colon": get("X"),
    "an invalid name": get("X(: a"),
    "a name that is not ASCII": get("X\xe4: a"),
    "an empty method": head(" / HTTP/1.1", "Host: a"),
    "an invalid method": head("G(T / HTTP/1.1", "Host: a"),
    "an endless method": `${"G".repeat(40)} / HTTP/1.1\r\n`,
    "no target": head("GET HTTP/1.1", "Host: a"),
    "two spaces before the target": head("GET  / HTTP/1.1", "Host: a"),
    "two spaces behind the target": head("GET /  HTTP/1.1", "Host: a"),
    "a tab between": head("GET\t/\tHTTP/1.1", "Host: a"),
    "a target with a space": head("GET /a b HTTP/1.1", "Host: a"),
    "a target with a control character": head("GET /\x01 HTTP/1.1", "Host: a"),
    "a target that is not ASCII": head("GET /\xe4 HTTP/1.1", "Host: a"),
    "a target with a fragment": head("GET /#a HTTP/1.1", "Host: a"),
    "a target with a backslash": head("GET /a\\..\\b HTTP/1.1", "Host: a"),
    "a relative target": head("GET a HTTP/1.1", "Host: a"),
    "an asterisk for GET": head("GET * HTTP/1.1", "Host: a"),
    "a path above its root": head("GET /../a HTTP/1.1", "Host: a"),
    "an encoded path above its root": head("GET /%2e%2E/a HTTP/1.1", "Host: a"),
    "a malformed escape": head("GET /%zz HTTP/1.1", "Host: a"),
    "a truncated escape": head("GET /%a HTTP/1.1", "Host: a"),
    "an encoded NUL": head("GET /%00 HTTP/1.1", "Host: a"),
    "another scheme": head("GET ftp://a/ HTTP/1.1", "Host: a"),
    "user information": head("GET http://u@a/ HTTP/1.1", "Host: a"),
    "no version": head("GET /", "Host: a"),
    "another protocol": head("GET / HTTQ/1.1", "Host: a"),
    "a version in lower case": head("GET / http/1.1", "Host: a"),
    "a version of two digits": head("GET / HTTP/1.10", "Host: a"),
    "something behind the version": head("GET / HTTP/1.1 x", "Host: a"),
    "no Host": head("GET / HTTP/1.1", "X: a"),
    "two Hosts": get("Host: a"),
    "a Host with a path": head("GET / HTTP/1.1", "Host: a/b"),
    "a Host with user information": head("GET / HTTP/1.1", "Host: u@a"),
    "a list of Hosts": head("GET / HTTP/1.1", "Host: a b"),
  };
  for (const [name, text] of Object.entries(refused))
    it(`has ${name}`, () => {
      const parser = parse(text);
      assert.equal(parser.state, "refused");
      assert.equal(parser.refusal.kind, "badRequest");
      assert.notEqual(parser.refusal.reason, "");
    });

  const answers: Record<string, readonly [string, string]> = {
    "CONNECT is not implemented": ["methodNotImplemented", head("CONNECT a:443 HTTP/1.1", "Host: a:443")],
    "HTTP/2 is not supported": ["httpVersionNotSupported", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    "HTTP/1.2 is not supported": ["httpVersionNotSupported", head("GET / HTTP/1.2", "Host: a")],
    "an unknown expectation": ["expectationFailed", get("Expect: a-miracle")],
    "two expectations": ["expectationFailed", get("Expect: 100-continue", "Expect: a-miracle")],
    "a long request line": ["uriTooLong", `GET /${"a".repeat(MAX_BYTES)}`],
    "a long value": ["headerTooLarge", `GET / HTTP/1.1\r\nX: ${"a".repeat(MAX_BYTES)}`],
    "a long head of short lines": ["headerTooLarge", get(...Array(100).fill(`X: ${"a".repeat(100)}`))],
    "too many lines": ["headerTooLarge", get(...Array(128).fill("X: a"))],
  };
  for (const [name, [kind, text]] of Object.entries(answers))
    it(`is answered for what it is: ${name}`, () => {
      const parser = parse(text.startsWith("PRI") ? text.replace("PRI *", "GET /") : text);
      assert.deepEqual([parser.state, parser.refusal.kind], ["refused", kind]);
    });
});

describe("a request head that is taken", () => {
  it("tells its parts", () => {
    const text = head("POST /a/b?c=d HTTP/1.1", "Host: h:80", "Content-Length: 12", "x-a:\t b c \t", "X-A: d");
    const parser = parse(`${text}hello`);
    assert.equal(parser.state, "complete");
    assert.equal(parser.consumed, text.length);
    const { method, path, query, host, contentLength, chunked, minorVersion, keepAlive } = parser;
    assert.deepEqual(
      { method, path, query, host, contentLength, chunked, minorVersion, keepAlive },
      {
        method: "POST",
        path: "/a/b",
        query: "?c=d",
        host: "h:80",
        contentLength: 12,
        chunked: false,
        minorVersion: 1,
        keepAlive: true,
      },
    );
    assert.equal(parser.fields.find("x-a"), "b c");
  });

  const taken: Record<string, readonly [string, Partial<RequestParser>]> = {
    "chunked in any case": [get("transfer-encoding: Chunked"), { chunked: true }],
    "an absolute target, whose host counts": [
      head("GET http://b:1/x?y HTTP/1.1", "Host: a"),
      { host: "b:1", path: "/x", query: "?y" },
    ],
    "an absolute target without a path": [head("GET HTTP://b?y HTTP/1.1", "Host: a"), { path: "/", query: "?y" }],
    "an asterisk for OPTIONS": [head("OPTIONS * HTTP/1.1", "Host: a"), { path: "*" }],
    "an empty line before it": [`\r\n${get()}`, { path: "/" }],
    "dot segments, resolved": [head("GET /a/./b/../c HTTP/1.1", "Host: a"), { path: "/a/c" }],
    "encoded dot segments, resolved": [head("GET /public/%2E%2e/admin HTTP/1.1", "Host: a"), { path: "/admin" }],
    "a dot segment at the end": [head("GET /a/b/.. HTTP/1.1", "Host: a"), { path: "/a/" }],
    "unreserved escapes, decoded": [head("GET /%7Eu%73er HTTP/1.1", "Host: a"), { path: "/~user" }],
    "reserved escapes, kept": [head("GET /a%2fb%3f HTTP/1.1", "Host: a"), { path: "/a%2Fb%3F" }],
    "dots in names and queries, kept": [
      head("GET /..a/b..?../%zz HTTP/1.1", "Host: a"),
      { path: "/..a/b..", query: "?../%zz" },
    ],
    "HTTP/1.0, closed by default": [head("GET / HTTP/1.0"), { host: "", keepAlive: false, minorVersion: 0 }],
    "HTTP/1.0, kept when asked": [head("GET / HTTP/1.0", "Connection: Keep-Alive"), { keepAlive: true }],
    "a Connection that closes": [get("Connection: x, Close"), { keepAlive: false, nominated: ["x"] }],
    "a Connection of something like blanks": [
      get("Connection: \xa0close"),
      { nominated: ["\xa0close"], keepAlive: true },
    ],
    "an expectation": [get("Content-Length: 1", "Expect: 100-Continue"), { expectsContinue: true }],
    "an expectation without a body": [get("Expect: 100-continue"), { expectsContinue: false }],
    "an expectation on HTTP/1.0": [head("POST / HTTP/1.0", "Expect: magic", "Content-Length: 1"), { minorVersion: 0 }],
    "an IPv6 host": [head("GET / HTTP/1.1", "Host: [::1]:80"), { host: "[::1]:80" }],
  };
  for (const [name, [text, parts]] of Object.entries(taken))
    it(`has ${name}`, () => {
      const parser = parse(text);
      assert.equal(parser.state, "complete", parser.refusal.reason);
      for (const [part, value] of Object.entries(parts))
        assert.deepEqual(parser[part as keyof RequestParser], value, part);
    });

  it("is written anew, without what is left out", () => {
    const parser = parse(get("A: 1", "B:2", "Connection: c", "C: 3", "D:  4  ", "E: 5"));
    const dropped = new Uint8Array(64);
    dropped[parser.fields.id(0)] = 1;
    dropped[parser.fields.id(3)] = 1;
    assert.equal(parser.fields.write(dropped, parser.nominated), "A: 1\r\nB: 2\r\nD: 4\r\nE: 5\r\n");
  });

  it("leaves nothing behind for the next", () => {
    const parser = parse(get("Transfer-Encoding: chunked", "Connection: close, x", "Expect: 100-continue"));
    parser.reset();
    const next = Buffer.from("GET /next HTTP/1.1\r\nHost: b\r\n\r\n");
    assert.equal(parser.feed(next, 0, next.length, MAX_BYTES), "complete");
    const { path, host, chunked, keepAlive, nominated, expectsContinue, fields } = parser;
    assert.deepEqual(
      [path, host, chunked, keepAlive, nominated, expectsContinue, fields.count],
      ["/next", "b", false, true, undefined, false, 1],
    );
  });
});

/** Heads near the border of what is valid. */
const fragments = fc.array(
  fc.oneof(
    fc.constantFrom(
      "GET",
      "POST",
      " ",
      "/",
      "/a?b",
      "HTTP/1.1",
      "HTTP/1.0",
      "\r\n",
      "\r\n\r\n",
      "\r",
      "\n",
      ":",
      ": ",
      "\t",
    ),
    fc.constantFrom(
      "Host: a\r\n",
      "Content-Length: 3\r\n",
      "Transfer-Encoding: chunked\r\n",
      "X: y \r\n",
      "Connection: close\r\n",
    ),
    fc.constantFrom(
      "GET / HTTP/1.1\r\nHost: a\r\n",
      "POST /x HTTP/1.1\r\nHost: a\r\n",
      ", ",
      "0",
      "\0",
      "\x7f",
      "\xff",
      "%41",
    ),
  ),
  { maxLength: 14 },
);

describe("a request parser", () => {
  it("comes to the same result however the octets are split", () => {
    fc.assert(
      fc.property(fragments, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 }), (parts, pieces) => {
        const text = parts.join("");
        const whole = parse(text);
        const split = parse(text, pieces);
        assert.equal(split.state, whole.state);
        assert.equal(split.path, whole.path);
        assert.equal(split.contentLength, whole.contentLength);
        assert.equal(split.fields.count, whole.fields.count);
      }),
      { numRuns: 2_000 },
    );
  });
});
