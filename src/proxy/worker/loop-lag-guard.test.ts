import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LoopLagGuard } from "./loop-lag-guard.ts";

function seen(maxLagMs: number, lagsMs: readonly number[]): string {
  const guard = new LoopLagGuard();
  guard.maxLagMs = maxLagMs;
  const looked = lagsMs.map((lagMs) => {
    guard.observe(lagMs);
    return guard.isLate ? "!" : ".";
  });
  return looked.join("");
}

describe("the guard of an event loop", () => {
  it("is not alarmed by pauses, however long, as long as the loop catches up between them", () => {
    assert.equal(seen(100, [5_000, 0, 101, 101, 100, 5_000, 5_000, 0]), "........");
  });

  it("is alarmed when the loop is late again and again, until it is well below the limit", () => {
    assert.equal(seen(100, [101, 200, 150, 99, 51, 49, 10, 60, 49, 49, 49, 200]), "..!!!!!!!!..");
  });

  it("takes any delay when there is no limit", () => {
    assert.equal(seen(0, [9_999, 9_999, 9_999, 9_999]), "....");
  });
});
