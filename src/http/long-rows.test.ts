import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ChunkedDecoder } from "./chunked-decoder.ts";
import { RequestParser } from "./request-parser.ts";
import { announcedTrailers, takesTrailers } from "./trailers.ts";

/** As long as a head may be at all. What takes a step for each two octets would take 500 thousand million of them, and minutes. */
const BYTES = 1_048_576;

const ROWS: Readonly<Record<string, string>> = {
  blanks: " ",
  tabs: "\t",
  commas: ",",
  "commas and blanks": ", ",
  "names of one letter": "a,",
  dots: ".",
  colons: ":",
};

describe("a field of a megabyte", () => {
  for (const [what, unit] of Object.entries(ROWS)) {
    const value = `a${unit.repeat(BYTES / unit.length)}b`;

    for (const name of ["Connection", "Trailer", "TE", "Transfer-Encoding", "Content-Length", "Expect", "Host", "X"])
      it(`is read in one go: ${name} of ${what}`, () => {
        const parser = new RequestParser();
        const octets = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${name}: ${value}\r\n\r\n`, "latin1");
        const state = parser.feed(octets, 0, octets.length, 2 * BYTES);
        assert.notEqual(state, "incomplete");
        takesTrailers(parser.fields);
        announcedTrailers(parser.fields);
      });

    it(`is read in one go: a trailer of ${what}`, () => {
      const decoder = new ChunkedDecoder();
      decoder.reset(2 * BYTES);
      const octets = Buffer.from(`0\r\nx: ${value}\r\n\r\n`, "latin1");
      assert.equal(decoder.next(octets, octets.length), "done");
      assert.equal(decoder.trailers[1], value);
    });
  }
});
