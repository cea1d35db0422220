import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { Base64Decoder, Base64Encoder } from "./base64-stream.ts";

function decodeAll(...pieces: readonly string[]): Buffer | undefined {
  const decoder = new Base64Decoder();
  const octets: Buffer[] = [];
  for (const piece of pieces) {
    const buffer = Buffer.from(`..${piece}..`, "latin1");
    const decoded = decoder.decode(buffer, 2, buffer.length - 2);
    if (decoded === undefined) return undefined;
    octets.push(decoded);
  }
  return decoder.isWhole ? Buffer.concat(octets) : undefined;
}

describe("a body in base64", () => {
  it("is read in pieces of any length", () => {
    const octets = randomBytes(1_000);
    const text = octets.toString("base64");
    for (const length of [1, 2, 3, 5, 64, 2_000]) {
      const pieces = Array.from({ length: Math.ceil(text.length / length) }, (_, index) =>
        text.slice(index * length, (index + 1) * length),
      );
      assert.deepEqual(decodeAll(...pieces), octets, `pieces of ${length}`);
    }
  });

  it("may consist of parts that are each padded", () => {
    assert.equal(String(decodeAll("YQ==YmI=Y2Nj", "ZA==")), "abbcccd");
    assert.equal(String(decodeAll("YQ", "==", "Y", "mI=")), "abb");
  });

  it("is refused when it is none, or not whole", () => {
    for (const text of ["Y", "YQ=", "Y===", "=YQ=", "YQ=a", "Y Q=", "YQ==\r\n", "Y-_="])
      assert.equal(decodeAll(text), undefined, JSON.stringify(text));
  });

  it("is written as it comes, and padded where somebody waits", () => {
    const encoder = new Base64Encoder();
    const octets = randomBytes(999);
    const pieces: Buffer[] = [];
    for (let at = 0; at < octets.length; at += 7) pieces.push(encoder.encode(octets.subarray(at, at + 7)));
    pieces.push(encoder.flush());
    assert.equal(Buffer.concat(pieces).toString("latin1"), octets.toString("base64"));
    assert.equal(String(encoder.encode(Buffer.from("a"))) + encoder.flush() + encoder.flush(), "YQ==");
  });
});
