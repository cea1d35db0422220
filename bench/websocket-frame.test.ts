import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { acceptKey, encodeFrame, FrameReader } from "./websocket-frame.ts";

test("the key is answered as in the example of RFC 6455, section 1.3", () => {
  assert.equal(acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

test("a masked frame is written as in the example of RFC 6455, section 5.7", () => {
  const frame = encodeFrame(1, Buffer.from("Hello"), Buffer.from("37fa213d", "hex"));
  assert.equal(frame.toString("hex"), "818537fa213d7f9f4d5158");
});

test("frames of every length come out as they went in, masked or not, however they are cut", () => {
  const payload = fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets));
  const mask = fc.option(
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map((octets) => Buffer.from(octets)),
    { nil: undefined },
  );
  const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), payload, mask), { maxLength: 5 });
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 400 }), (sent, pieceBytes) => {
      const read: [number, string][] = [];
      const reader = new FrameReader((opcode, octets) => read.push([opcode, octets.toString("hex")]));
      const all = Buffer.concat(sent.map(([opcode, octets, key]) => encodeFrame(opcode, octets, key)));
      for (let at = 0; at < all.length; at += pieceBytes) reader.read(all.subarray(at, at + pieceBytes));
      assert.deepEqual(
        read,
        sent.map(([opcode, octets]) => [opcode, octets.toString("hex")]),
      );
    }),
  );
});

test("a frame of a length that no echo needs is refused on both sides", () => {
  assert.throws(() => encodeFrame(2, Buffer.alloc(65_536)), RangeError);
  assert.throws(() => new FrameReader(() => {}).read(Buffer.from([0x82, 127])), RangeError);
});
