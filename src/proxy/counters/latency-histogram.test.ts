import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BUCKETS, bucketOf, quantileMs, upperBoundMs } from "./latency-histogram.ts";

describe("the latency histogram", () => {
  it("puts every latency below its bucket's bound, at most an eighth and a microsecond", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2_000_000, noNaN: true }), (ms) => {
        const bucket = bucketOf(ms);
        assert.ok(bucket >= 0 && bucket < BUCKETS);
        assert.ok(ms < upperBoundMs(bucket) && upperBoundMs(bucket) <= ms * 1.125 + 0.001_01, `${ms} in ${bucket}`);
      }),
    );
  });

  it("keeps what no clock should give", () => {
    for (const ms of [-1, Number.POSITIVE_INFINITY]) assert.ok(bucketOf(ms) < BUCKETS);
  });

  it("tells quantiles", () => {
    const counts = new Float64Array(BUCKETS);
    assert.equal(quantileMs(counts, 0.5), 0);
    for (let ms = 1; ms <= 100; ms++) counts[bucketOf(ms)]! += 1;
    for (const [quantile, ms] of [
      [0.5, 50],
      [0.99, 99],
      [1, 100],
    ] as const) {
      const told = quantileMs(counts, quantile);
      assert.ok(told >= ms && told <= ms * 1.13, `${quantile}: ${told}`);
    }
  });
});
