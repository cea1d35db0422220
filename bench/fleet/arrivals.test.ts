import assert from "node:assert/strict";
import { test } from "node:test";
import { Arrivals } from "./arrivals.ts";

test("every node counts once for each version, from when it came first", () => {
  const arrivals = new Arrivals();
  arrivals.record(1, "a", 10);
  arrivals.record(1, "b", 12);
  arrivals.record(1, "a", 90);
  arrivals.record(2, "a", 50);
  assert.deepEqual(arrivals.of(1), [10, 12]);
  assert.deepEqual(arrivals.of(2), [50]);
  assert.deepEqual(arrivals.of(3), []);
});
