import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { LineConstant, LineOctets, MAX_NUMBER_BYTES } from "./line-octets.ts";

function written(write: (octets: LineOctets) => void): string {
  const octets = new LineOctets();
  octets.moveTo(Buffer.alloc(100));
  write(octets);
  return Buffer.from(octets.written).toString("latin1");
}

describe("octets of a line", () => {
  it("have whole numbers as they are written everywhere", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        assert.equal(
          written((octets) => octets.whole(value)),
          String(value),
        );
      }),
    );
    for (const value of [0, 9, 10, 99, 100, 999, 1_000, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER])
      assert.equal(
        written((octets) => octets.whole(value)),
        String(value),
      );
  });

  it("have times with three places, rounded", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.nat(999), (whole, fraction) => {
        const value = whole + fraction / 1_000;
        assert.equal(
          written((octets) => octets.thousandths(value)),
          `${whole}.${String(fraction).padStart(3, "0")}`,
        );
      }),
    );
    assert.equal(
      written((octets) => octets.thousandths(0.9996)),
      "1.000",
    );
  });

  it("go on where they were, and from the front of another memory", () => {
    const octets = new LineOctets();
    octets.moveTo(Buffer.alloc(8));
    octets.text("ab");
    octets.whole(12);
    octets.text("c");
    assert.equal(String(octets.written), "ab12c");
    octets.moveTo(Buffer.alloc(8));
    assert.equal(octets.written.length, 0);
  });

  it("have constants of any length, and what follows right behind them", () => {
    for (const text of ["", "a", "ab", "abc", "abcd", "abcde", "abcdefgh"])
      assert.equal(
        written((octets) => {
          octets.text("<");
          octets.constant(new LineConstant(text));
          octets.text(">");
        }),
        `<${text}>`,
      );
  });

  it("take no more for a number than is said", () => {
    assert.ok(String(Number.MAX_SAFE_INTEGER).length + ".000".length <= MAX_NUMBER_BYTES);
  });
});
