import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Lifetime } from "./lifetime.ts";

const FOREVER = { maxAgeMs: 0, maxRequests: 0 };

describe("the lifetime of a connection", () => {
  it("has no end without limits", () => {
    const lifetime = new Lifetime(0, 0);
    for (let count = 0; count < 100_000; count++) assert.equal(lifetime.isLastRequest(FOREVER, 1e12), false);
  });

  it("ends with the last request that it may have, and goes on if the limit is lifted", () => {
    const lifetime = new Lifetime(0, 0);
    const two = { ...FOREVER, maxRequests: 2 };
    assert.equal(lifetime.isLastRequest(two, 0), false);
    assert.equal(lifetime.isLastRequest(two, 0), true);
    assert.equal(lifetime.isLastRequest(FOREVER, 0), false);
  });

  it("ends with the first request after its age, up to a tenth earlier according to its place among others", () => {
    const limits = { ...FOREVER, maxAgeMs: 1_000 };
    const endOf = (place: number) => {
      const lifetime = new Lifetime(500, place);
      for (let nowMs = 500; ; nowMs++) if (lifetime.isLastRequest(limits, nowMs)) return nowMs - 500;
    };
    assert.deepEqual([0, 0.25, 0.5, 1].map(endOf), [1_000, 975, 950, 900]);
  });
});
