import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ResponseParser } from "./response-parser.ts";

function parse(text: string, size = text.length): ResponseParser & { state: string } {
  const parser = new ResponseParser();
  const bytes = Buffer.from(text, "latin1");
  let state = "incomplete";
  for (let at = 0; at < bytes.length && state === "incomplete"; at += size)
    state = parser.feed(bytes, at, Math.min(bytes.length, at + size), 8_192);
  return Object.assign(parser, { state });
}

const ok = (...fields: string[]) => `${["HTTP/1.1 200 OK", ...fields].join("\r\n")}\r\n\r\n`;

describe("a response head that is refused", () => {
  const refused: Record<string, string> = {
    "length with chunked": ok("Content-Length: 5", "Transfer-Encoding: chunked"),
    "two lengths": ok("Content-Length: 5", "Content-Length: 6"),
    "a list of lengths": ok("Content-Length: 5, 6"),
    "a malformed length": ok("Content-Length: 5a"),
    "an unknown transfer coding": ok("Transfer-Encoding: gzip"),
    "a coding before chunked": ok("Transfer-Encoding: gzip, chunked"),
    "a tab behind chunked": ok("Transfer-Encoding: chunked\t"),
    "chunked on HTTP/1.0": "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "obsolete line folding": ok("X: a", " b"),
    "a bare LF": "HTTP/1.1 200 OK\nX: a\r\n\r\n",
    "a bare CR": ok("X: a\rb"),
    NUL: ok("X: a\0"),
    "a space before the colon": ok("X : a"),
    "another protocol": "SSH-2.0-OpenSSH_9.2\r\n",
    "another version": "HTTP/2.0 200 OK\r\n\r\n",
    "a status of two digits": "HTTP/1.1 20 OK\r\n\r\n",
    "a status of four digits": "HTTP/1.1 2000 OK\r\n\r\n",
    "a status out of range": "HTTP/1.1 600 OK\r\n\r\n",
    "a control character in the phrase": "HTTP/1.1 200 O\x01K\r\n\r\n",
    "an interim status that closes": "HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n",
    "an interim status on HTTP/1.0": "HTTP/1.0 100 Continue\r\n\r\n",
    "a head without end": `HTTP/1.1 200 OK\r\nX: ${"a".repeat(9_000)}`,
  };
  for (const [name, text] of Object.entries(refused))
    it(`has ${name}`, () => {
      for (const size of [text.length, 1]) {
        const parser = parse(text, size);
        assert.equal(parser.state, "refused");
        assert.equal(parser.refusal.kind, "upstreamInvalid");
      }
    });
});

describe("a response head that is taken", () => {
  it("tells its parts, however it is split", () => {
    const text = ok("Content-Length: 5", "Connection: close");
    for (const size of [text.length, 7, 1]) {
      const parser = parse(text, size);
      const { state, status, reasonPhrase, contentLength, keepAlive } = parser;
      assert.deepEqual([state, status, reasonPhrase, contentLength, keepAlive], ["complete", 200, "OK", 5, false]);
    }
  });

  it("may have no phrase, or one with spaces", () => {
    assert.equal(parse("HTTP/1.1 204\r\n\r\n").reasonPhrase, "");
    assert.equal(parse("HTTP/1.1 404 \r\n\r\n").reasonPhrase, "");
    assert.equal(parse("HTTP/1.1 404 Not Found\r\n\r\n").reasonPhrase, "Not Found");
  });
});
