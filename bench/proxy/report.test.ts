import assert from "node:assert/strict";
import { test } from "node:test";
import { describeDoubts } from "./report.ts";

function lane(lagMs: number, p99Ms: number) {
  const same = (value: number) => ({ median: value, min: value, max: value });
  return { runs: 1, discardedRuns: 0, figures: { lagP99Ms: same(lagMs), p99Ms: same(p99Ms) } };
}

test("a latency that may be the generator's own is doubted aloud", () => {
  assert.deepEqual(describeDoubts({ sure: lane(0.1, 1), unsure: lane(0.6, 1) }), [
    "unsure: IN DOUBT, 0.60 of its p99 of 1.00 ms may be the generator's own lag",
  ]);
});
