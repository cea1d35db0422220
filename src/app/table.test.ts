import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatTable } from "./table.ts";

describe("formatTable", () => {
  it("aligns columns, shows what is missing as a dash, and drops what a terminal would obey", () => {
    const rows = [
      ["edge-1", 12, undefined],
      ["e\u001b[2J2\n", "", true],
    ];
    assert.equal(formatTable(["NODE", "N", "OK"], rows), "NODE    N   OK\nedge-1  12  -\ne2      -   true\n");
  });
});
