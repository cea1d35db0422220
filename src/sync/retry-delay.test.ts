import assert from "node:assert/strict";
import { test } from "node:test";
import { offerDelayMs, reconnectDelayMs } from "./retry-delay.ts";

test("the first attempt after a loss comes within a second, whatever the retry interval", () => {
  assert.equal(reconnectDelayMs(0, 1, 5_000, 0), 0);
  assert.equal(reconnectDelayMs(0, 1, 5_000, 0.5), 500);
});

test("later attempts wait anywhere up to the retry interval doubled with each failure, at most a minute", () => {
  const limits = [1, 2, 3, 4, 5, 6, 500].map((failures) => reconnectDelayMs(failures, 1, 5_000, 1));
  assert.deepEqual(limits, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  assert.equal(reconnectDelayMs(3, 1, 5_000, 0), 0);
});

test("with several addresses the limit grows once a round and the next address is tried at once", () => {
  const limits = [1, 2, 3, 4, 5, 6].map((failures) => reconnectDelayMs(failures, 3, 5_000, 1));
  assert.deepEqual(limits, [1_000, 1_000, 5_000, 1_000, 1_000, 10_000]);
});

test("a refused configuration is offered again after a second, doubling to a minute", () => {
  assert.deepEqual([1, 2, 3, 6, 7, 1_000].map(offerDelayMs), [1_000, 2_000, 4_000, 32_000, 60_000, 60_000]);
});
