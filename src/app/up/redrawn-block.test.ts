import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RedrawnBlock } from "./redrawn-block.ts";

describe("RedrawnBlock", () => {
  it("erases exactly the lines that it drew, and cuts those that would wrap", () => {
    const written: string[] = [];
    const block = new RedrawnBlock({ columns: 5, write: (text) => written.push(text) });
    block.draw("one\ntwo two\n");
    block.draw("three\n");
    block.writeAbove("news\n");
    block.draw("four\n");
    assert.deepEqual(written, ["one\ntwo t\n", "\u001b[2A\u001b[Jthree\n", "\u001b[1A\u001b[Jnews\n", "four\n"]);
  });
});
