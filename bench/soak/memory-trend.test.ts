import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { memoryTrend } from "./memory-trend.ts";

const samples = (bytesAt: (second: number) => number) =>
  Array.from({ length: 100 }, (_, second) => ({ afterMs: second * 1_000, rssBytes: bytesAt(second) }));

describe("the memory of a soak", () => {
  it("is flat when it grows only while the node warms up", () => {
    const { isFlat, earlyBytes, lateBytes } = memoryTrend(samples((second) => Math.min(second, 20) * 10));
    assert.deepEqual([isFlat, earlyBytes, lateBytes], [true, 200, 200]);
  });

  it("is flat when it goes up and down", () => {
    assert.ok(memoryTrend(samples((second) => 200 + (second % 10) * 10)).isFlat);
  });

  it("is not when it goes on growing", () => {
    assert.ok(!memoryTrend(samples((second) => 200 + second)).isFlat);
  });
});
