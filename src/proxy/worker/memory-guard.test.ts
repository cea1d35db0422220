import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryGuard, processMemory } from "./memory-guard.ts";

describe("the guard of the memory", () => {
  it("is alarmed above the limit, until memory is well below it", () => {
    const guard = new MemoryGuard();
    const at = (usedBytes: number, maxPercent = 90) => {
      guard.observe({ usedBytes, limitBytes: 1_000 }, maxPercent);
      return guard.isShort;
    };
    assert.deepEqual(
      [900, 901, 880, 851, 849, 880].map((used) => at(used)),
      [false, true, true, true, false, false],
    );
    assert.equal(at(1_000), true);
    assert.equal(at(1_000, 0), false, "without a limit there is no alarm");
  });

  it("knows what this process has", () => {
    const { usedBytes, limitBytes } = processMemory();
    assert.ok(usedBytes > 0 && usedBytes < limitBytes && Number.isFinite(limitBytes));
  });
});
