import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeReading, parseEntry, readCorpus, writeEntry } from "./corpus.ts";
import { MAX_HEAD_BYTES } from "./input.ts";
import { LlhttpReader } from "./llhttp-reader.ts";
import { Oracle } from "./oracle.ts";
import { readByRunway } from "./runway-reader.ts";

describe("what the fuzzing has found", () => {
  const llhttp = new LlhttpReader();
  const oracle = new Oracle(readByRunway, llhttp);
  for (const { name, input, expected } of readCorpus())
    it(`is read as expected, in any two pieces: ${name.replaceAll("-", " ")}`, () => {
      for (let cut = 0; cut < input.text.length; cut++) {
        const { reading, fault } = oracle.judge({ ...input, cuts: cut === 0 ? [] : [cut] });
        assert.equal(fault, undefined);
        assert.equal(describeReading(reading), expected);
      }
    });

  it("is kept as a file that gives the same octets again", () => {
    const text = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join("");
    const written = writeEntry(
      { side: "request", answersHead: false, text, cuts: [], maxHeadBytes: MAX_HEAD_BYTES },
      { messages: [], outcome: "waiting", reason: "" },
    );
    assert.equal(parseEntry("all-octets", written).input.text, text);
  });
});
