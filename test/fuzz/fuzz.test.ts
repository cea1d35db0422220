import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe, it } from "node:test";
import { Campaign } from "./campaign.ts";
import { describeInput, readCorpus } from "./corpus.ts";
import type { Input } from "./input.ts";
import { LlhttpReader } from "./llhttp-reader.ts";
import { Oracle } from "./oracle.ts";
import type { Reading } from "./reading.ts";
import { readByRunway } from "./runway-reader.ts";

/** `SEED=n` runs the cases of that seed again, `CASES=n` another number of them. */
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const CASES = Number(process.env.CASES ?? 60_000);

describe("our parsers of HTTP/1.1", () => {
  it("accept nothing that llhttp does not accept with the same borders", () => {
    const oracle = new Oracle(readByRunway, new LlhttpReader());
    const start = readCorpus().map(({ input }) => input);
    const campaign = new Campaign(SEED, oracle, start);
    const found = campaign.run(CASES);
    if (found !== undefined) {
      const shown = describeInput(found.input, oracle.judge(found.input).reading);
      assert.fail(`${found.fault}; run again with SEED=${SEED} CASES=${CASES}\n${shown}`);
    }
    assert.ok(campaign.compared > CASES / 4, `only ${campaign.compared} of ${CASES} cases could be compared`);
  });
});

/** Defects as real parsers had them, made by showing our own something else than what arrived, of the same length. */
const DEFECTS: Readonly<Record<string, (text: string) => string>> = {
  "takes a bare LF for a line end": (text) => text.replace(/([^\r])([^\r])\n(?=[A-Za-z-]+:)/g, "$1\r\n"),
  "overlooks a space before a colon": (text) => text.replaceAll(" :", "x:"),
  "joins folded lines": (text) => text.replaceAll("\r\n ", "   "),
  "overlooks NUL": (text) => text.replaceAll("\0", "a"),
  "does not know Transfer-Encoding": (text) => text.replace(/transfer-encoding:/gi, "transfer_encoding:"),
  "does not know Content-Length": (text) => text.replace(/content-length:/gi, "content_length:"),
  "takes the last of two codings": (text) =>
    text.replace(
      /(transfer-encoding:) *[a-z]+,( *chunked)/gi,
      (_, name, rest) => name + rest.padStart(_.length - name.length),
    ),
  "takes a list of equal lengths": (text) => text.replaceAll("3,3", "  3"),
  "reads a chunk size up to a space": (text) => text.replaceAll("1 \r\n", "01\r\n"),
  "takes a sign before a chunk size": (text) => text.replaceAll("\n+", "\n0"),
};

describe("a parser", () => {
  for (const [defect, seenAs] of Object.entries(DEFECTS))
    it(`that ${defect} is caught`, () => {
      const read = (input: Input): Reading => readByRunway({ ...input, text: seenAs(input.text) });
      const found = new Campaign(1, new Oracle(read, new LlhttpReader()), []).run(400_000);
      assert.ok(found, "nothing was found");
    });

  it("that throws is caught", () => {
    const read = (input: Input): Reading => {
      if (input.text.includes("%2F")) throw new Error("no slashes please");
      return readByRunway(input);
    };
    const found = new Campaign(1, new Oracle(read, new LlhttpReader()), []).run(50_000);
    assert.deepEqual([found?.fault, found?.input.text], ["it throws: no slashes please", "%2F"]);
  });

  it("that loses a trailer is caught", () => {
    const read = (input: Input): Reading => {
      const reading = readByRunway(input);
      return { ...reading, messages: reading.messages.map((message) => ({ ...message, trailers: [] })) };
    };
    assert.equal(new Campaign(1, new Oracle(read, new LlhttpReader()), []).run(50_000)?.fault, "other trailers");
  });

  it("whose reading depends on the pieces is caught", () => {
    const read = (input: Input): Reading =>
      readByRunway(input.cuts.length > 3 ? { ...input, text: `${input.text}x` } : input);
    assert.match(new Campaign(1, new Oracle(read, new LlhttpReader()), []).run(50_000)?.fault ?? "", /pieces/);
  });
});
