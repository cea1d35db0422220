import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { StringTable } from "./string-table.ts";

describe("a table of strings", () => {
  it("holds what a Map holds, whatever is put in and taken out", () => {
    const key = fc.string({ maxLength: 2, unit: fc.constantFrom("a", "b", "é", "日") });
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.option(fc.nat())), { maxLength: 200 }), (edits) => {
        const table = new StringTable<number>();
        const map = new Map<string, number>();
        for (const [name, value] of edits) {
          if (value === null) table.delete(name);
          else table.set(name, value);
          if (value === null) map.delete(name);
          else map.set(name, value);
          assert.equal(table.size, map.size);
        }
        for (const [name] of [...edits, ["nobody"] as const]) assert.equal(table.get(name), map.get(name));
      }),
    );
  });

  it("finds a piece of a text without its surroundings", () => {
    const table = new StringTable<number>();
    table.set("api", 1);
    table.set("ap", 2);
    table.set("", 3);
    assert.deepEqual(
      [table.get("/api/v1", 1, 4), table.get("/api/v1", 1, 3), table.get("/api/v1", 1, 1), table.get("/api/v1", 0, 4)],
      [1, 2, 3, undefined],
    );
  });

  it("takes a hundred thousand and lets them go again", () => {
    const table = new StringTable<number>();
    for (let n = 0; n < 100_000; n++) table.set(`r${n}`, n);
    for (let n = 0; n < 100_000; n += 2) table.delete(`r${n}`);
    assert.equal(table.size, 50_000);
    for (let n = 0; n < 100_000; n++) assert.equal(table.get(`r${n}`), n % 2 === 0 ? undefined : n);
  });
});
