import assert from "node:assert/strict";
import { test } from "node:test";
import { renderTable } from "./table.ts";

test("columns are as wide as their widest cell, names to the left and numbers to the right", () => {
  const table = renderTable([
    ["proxy", "µs"],
    ["nginx-next", "9"],
    ["b", "1234"],
  ]);
  assert.equal(table, ["proxy          µs", "nginx-next      9", "b            1234"].join("\n"));
});
