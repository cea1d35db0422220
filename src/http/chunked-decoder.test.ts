import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ChunkedDecoder } from "./chunked-decoder.ts";
import { NO_TRAILERS, type Trailers } from "./trailers.ts";

const MAX_TRAILER_BYTES = 8_192;

interface Decoded {
  readonly result: string;
  readonly data: string;
  readonly rest: string;
  readonly trailers: Trailers;
}

function decode(text: string, pieces: readonly number[] = []): Decoded {
  const decoder = new ChunkedDecoder();
  decoder.reset(MAX_TRAILER_BYTES);
  const bytes = Buffer.from(text, "latin1");
  let data = "";
  let start = 0;
  for (const size of [...pieces, bytes.length]) {
    const end = Math.min(bytes.length, start + size);
    decoder.position = start;
    for (;;) {
      const found = decoder.next(bytes, end);
      if (found === "data") data += bytes.toString("latin1", decoder.dataStart, decoder.dataEnd);
      else if (found === "more") break;
      else return { result: found, data, rest: text.slice(decoder.position), trailers: decoder.trailers };
    }
    start = end;
  }
  return { result: "more", data, rest: "", trailers: NO_TRAILERS };
}

describe("chunked coding", () => {
  const refused: Record<string, string> = {
    "no size": "\r\n",
    "a size that is not hexadecimal": "g\r\n",
    "a signed size": "+1\r\na\r\n0\r\n\r\n",
    "a negative size": "-1\r\n",
    "a prefixed size": "0x1\r\na\r\n",
    "a space before the size": " 1\r\na\r\n",
    "a space behind the size": "1 \r\na\r\n",
    "a size that overflows": "fffffffffffffffff\r\n",
    "an endless size of zeros": "0000000000000\r\n",
    "a bare LF behind the size": "1\na\r\n",
    "a bare CR behind the size": "1\ra\r\n",
    "a bare LF behind the data": "1\r\na\n0\r\n\r\n",
    "data longer than its size": "1\r\nab\r\n0\r\n\r\n",
    "a control character in an extension": "1;a=\x01\r\na\r\n",
    "a bare LF in an extension": "1;a\na\r\n",
    "a space before an extension": "1 ;a\r\na\r\n",
    "a space in an extension": "1; a\r\na\r\n",
    "an extension without a name": "1;\r\na\r\n",
    "an extension without a value": "1;a=\r\na\r\n",
    "open quotes in an extension": '1;a="\r\na\r\n',
    "an escaped line end in an extension": '1;a="\\\r\na\r\n',
    "text behind the quotes of an extension": '1;a="b"c\r\na\r\n',
    "an endless extension": `1;${"a".repeat(9_000)}`,
    "endless extensions": `1;${"a".repeat(200)}\r\na\r\n`.repeat(60),
    "trailers longer than a head may be": `0\r\n${`X: ${"y".repeat(90)}\r\n`.repeat(100)}`,
    "more trailers than a head may have": `0\r\n${"X: y\r\n".repeat(129)}`,
    "a bare LF at the end": "0\r\n\n",
    "a trailer without a name": "0\r\n: a\r\n\r\n",
    "a trailer with a space before the colon": "0\r\nX : a\r\n\r\n",
    "a folded trailer": "0\r\nX: a\r\n b\r\n\r\n",
    "a length as a trailer": "0\r\nContent-Length: 5\r\n\r\n",
    "a coding as a trailer": "0\r\ntransfer-encoding: chunked\r\n\r\n",
    "a connection's end as a trailer": "0\r\nConnection: close\r\n\r\n",
    "a bare LF behind a trailer": "0\r\nX: a\n\r\n",
  };
  for (const [name, text] of Object.entries(refused))
    it(`is refused with ${name}`, () => assert.equal(decode(text).result, "refused"));

  it("gives the data and stops at its end", () => {
    const extensions = ';name=value;flag;quoted="a\\";\\" \\\\";last';
    const text = `5\r\nhello\r\n006${extensions}\r\n world\r\n0\r\nSum:\t x \t\r\nEmpty:\r\n\r\nGET / HTTP/1.1`;
    const trailers = ["sum", "x", "empty", ""];
    assert.deepEqual(decode(text), { result: "done", data: "hello world", rest: "GET / HTTP/1.1", trailers });
  });

  it("gives the same however the octets are split", () => {
    const anyText = fc.oneof(
      fc
        .array(fc.string({ minLength: 1, maxLength: 20, unit: "binary-ascii" }))
        .map((chunks) =>
          [...chunks.map((chunk) => `${chunk.length.toString(16)};x\r\n${chunk}\r\n`), "0\r\nA: b\r\n\r\nnext"].join(
            "",
          ),
        ),
      fc.array(fc.constantFrom("1", "a", "\r\n", "\r", "\n", "0", ";", ":", " ")).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(anyText, fc.array(fc.integer({ min: 1, max: 7 })), (text, pieces) => {
        assert.deepEqual(decode(text, pieces), decode(text));
      }),
      { numRuns: 1_000 },
    );
  });
});
