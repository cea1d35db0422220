import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { describeProblem } from "./problem.ts";
import { duration } from "./resources/scalars.ts";
import { checkShape } from "./shape.ts";

const Schema = z.strictObject({
  name: z.string(),
  count: z.int().min(1).max(9).optional(),
  flag: z.boolean().optional(),
  wait: duration.optional(),
  mode: z.enum(["slow", "fast"]).optional(),
  items: z
    .array(z.strictObject({ id: z.string().min(1) }))
    .min(1)
    .optional(),
  either: z.union([z.literal("auto"), z.strictObject({ size: z.int() })]).optional(),
  map: z.record(z.string().regex(/^[a-z]$/, "must be one letter"), z.string()).optional(),
});

function wordsFor(value: unknown): string {
  const result = checkShape(Schema, value);
  assert.ok(!result.ok, "was right");
  return result.problems.map(describeProblem).join(" | ");
}

describe("checkShape", () => {
  it("gives the parsed value", () => {
    assert.deepEqual(checkShape(Schema, { name: "a", wait: "1m" }), { ok: true, value: { name: "a", wait: 60_000 } });
  });

  it("says in plain words what a value has to be", () => {
    const wrong: [object, string][] = [
      [{ name: undefined }, "name: is required"],
      [{ name: 5 }, "name: must be text, not a number; put it in quotes"],
      [{ name: null }, "name: must be text, not empty"],
      [{ name: "a", count: 1.5 }, "count: must be a whole number, not a fraction"],
      [{ name: "a", count: "1" }, "count: must be a number, not text"],
      [{ name: "a", count: 0 }, "count: must be at least 1"],
      [{ name: "a", count: 10 }, "count: must be at most 9"],
      [{ name: "a", flag: "yes" }, "flag: must be true or false, not text"],
      [{ name: "a", mode: "medium" }, 'mode: must be one of "slow", "fast"'],
      [{ name: "a", wait: "1 s" }, "wait: must be a duration such as 500ms, 30s or 1h30m"],
      [{ name: "a", wait: "25d" }, "wait: must be at most 24d"],
      [{ name: "a", items: [] }, "items: must have at least 1 item"],
      [{ name: "a", items: [{ id: "" }] }, "items[0].id: must have at least 1 character"],
      [{ name: "a", items: {} }, "items: must be a list, not a mapping"],
      [{ name: "a", map: { "A b": "x" } }, 'map["A b"]: must be one letter'],
    ];
    for (const [value, words] of wrong) assert.equal(wordsFor(value), words);
  });

  it("speaks of the alternative that comes nearest", () => {
    assert.equal(wordsFor({ name: "a", either: { size: "x" } }), "either.size: must be a number, not text");
    assert.match(wordsFor({ name: "a", either: "other" }), /^either: must be "auto"/);
  });

  it("finds every problem, each unknown key one of its own", () => {
    assert.equal(
      wordsFor({ nam: "a", zzz: 1, count: 0 }),
      "name: is required | count: must be at least 1 | nam: unknown key `nam`; did you mean `name`? | zzz: unknown key `zzz`",
    );
  });
});
