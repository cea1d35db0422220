import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { editSorted } from "./sorted-edit.ts";

describe("editing a sorted list", () => {
  it("replaces, puts in and takes out, however many the edits are, and leaves the list as it was", () => {
    const numbers = (max: number) => fc.uniqueArray(fc.nat({ max: 200 }), { maxLength: max });
    fc.assert(
      fc.property(
        numbers(60),
        fc.uniqueArray(fc.tuple(fc.nat({ max: 200 }), fc.boolean()), { maxLength: 120, selector: ([key]) => key }),
        (keys, wanted) => {
          const list = keys.sort((a, b) => a - b).map((key) => ({ key, age: "old" }));
          const before = structuredClone(list);
          const edits = wanted
            .map(([key, isThere]) => ({ key, item: isThere ? { key, age: "new" } : undefined }))
            .sort((a, b) => a.key - b.key);
          const expected = new Map(list.map((item) => [item.key, item]));
          for (const { key, item } of edits) {
            if (item === undefined) expected.delete(key);
            else expected.set(key, item);
          }
          const after = editSorted(list, edits, (item, key) => item.key - key);
          assert.deepEqual(
            after,
            [...expected.values()].sort((a, b) => a.key - b.key),
          );
          assert.deepEqual(list, before);
        },
      ),
    );
  });
});
