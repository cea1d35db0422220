import assert from "node:assert/strict";
import { test } from "node:test";
import { quantile, summarize } from "./statistics.ts";

test("the median of an odd number of values is the middle one, whatever their order", () => {
  assert.deepEqual(summarize([30, 10, 9]), { median: 10, min: 9, max: 30 });
});

test("the median of an even number of values lies between the two in the middle", () => {
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
});

test("a quantile between two values is interpolated", () => {
  assert.equal(quantile([0, 100], 0.99), 99);
  assert.equal(quantile([7], 0.99), 7);
});

test("no values and impossible quantiles are refused", () => {
  assert.throws(() => summarize([]), RangeError);
  assert.throws(() => quantile([1], 1.5), RangeError);
  assert.throws(() => quantile([1], Number.NaN), RangeError);
});
