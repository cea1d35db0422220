import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readTrailers, writeTrailers } from "./trailers.ts";

const MAX_BYTES = 1_000;

describe("trailers of HTTP/2", () => {
  const refused: Record<string, readonly string[]> = {
    "a pseudo-header": [":status", "200"],
    "a name in capitals": ["X-Sum", "1"],
    "no name": ["", "1"],
    "a space in a name": ["x sum", "1"],
    "a line end in a value": ["x", "1\r\ny: 2"],
    "a bare line feed in a value": ["x", "1\n"],
    "NUL in a value": ["x", "\0"],
    "a length": ["content-length", "1"],
    "a coding": ["transfer-encoding", "chunked"],
    "more octets than a head may have": ["x", "y".repeat(MAX_BYTES)],
    "more fields than a head may have": Array.from({ length: 258 }, () => "x"),
  };
  for (const [what, raw] of Object.entries(refused))
    it(`are refused with ${what}`, () => assert.equal(readTrailers(raw, MAX_BYTES), undefined));

  it("are taken otherwise", () => {
    const raw = ["grpc-status", "0", "grpc-message", "", "x-blank", "a\tb \x80"];
    assert.deepEqual(readTrailers(raw, MAX_BYTES), raw);
  });
});

describe("trailers that go on", () => {
  it("are those that may stand behind a body", () => {
    const names = [
      "host",
      "authorization",
      "set-cookie",
      "content-type",
      "x-forwarded-host",
      "access-control-allow-origin",
    ];
    const trailers = [...names, "content-length", "x-sum"].flatMap((name) => [name, "1"]);
    assert.equal(writeTrailers(trailers), "x-sum: 1\r\n");
  });

  it("are those that were announced, when it matters", () => {
    assert.equal(writeTrailers(["a", "1", "b", "2", "host", "3"], ["b", "host"]), "b: 2\r\n");
  });
});
