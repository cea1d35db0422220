import assert from "node:assert/strict";
import { test } from "node:test";
import { offerDelayMs, reconnectDelayMs } from "./retry-delay.ts";

const AT_ONCE = { failures: 0, addresses: 1, retryIntervalMs: 5_000, awayMs: 0 };

test("the first attempt after a loss comes within a second, whatever the retry interval", () => {
  assert.equal(reconnectDelayMs(AT_ONCE, 0), 0);
  assert.equal(reconnectDelayMs(AT_ONCE, 0.5), 500);
});

test("later attempts wait anywhere up to the time for which the control plane is away, from the retry interval to a minute", () => {
  const after = (awayMs: number) => reconnectDelayMs({ ...AT_ONCE, failures: 3, awayMs }, 1);
  assert.deepEqual([0, 4_000, 5_500, 30_000, 3_600_000].map(after), [5_000, 5_000, 5_500, 30_000, 60_000]);
  assert.equal(reconnectDelayMs({ ...AT_ONCE, failures: 3, awayMs: 30_000 }, 0), 0);
});

test("however a node draws, it never waits longer than with a limit that doubles with each attempt", () => {
  let awayMs = 1_000;
  for (let failures = 1; failures < 10; failures += 1) {
    const delayMs = reconnectDelayMs({ ...AT_ONCE, failures, awayMs }, 1);
    assert.ok(delayMs <= Math.min(60_000, 5_000 * 2 ** (failures - 1)), `${delayMs} after ${failures} failures`);
    awayMs += delayMs;
  }
});

test("a node that was told when to come back does so between then and twice as late", () => {
  const asked = (askedMs: number, random: number) =>
    reconnectDelayMs({ ...AT_ONCE, failures: 4, awayMs: 60_000, askedMs }, random);
  assert.deepEqual([asked(2_000, 0), asked(2_000, 0.5), asked(2_000, 1)], [2_000, 3_000, 4_000]);
  assert.equal(asked(-5, 1), 60_000);
});

test("a node that was told when to come back tries its other control planes first", () => {
  const terms = { ...AT_ONCE, addresses: 2, askedMs: 9_000 };
  assert.deepEqual(
    [1, 2].map((failures) => reconnectDelayMs({ ...terms, failures }, 0.5)),
    [500, 13_500],
  );
});

test("with several addresses the long wait comes once a round, and the next address is tried at once", () => {
  const terms = { addresses: 3, retryIntervalMs: 5_000, awayMs: 10_000 };
  const limits = [1, 2, 3, 4, 5, 6].map((failures) => reconnectDelayMs({ ...terms, failures }, 1));
  assert.deepEqual(limits, [1_000, 1_000, 10_000, 1_000, 1_000, 10_000]);
});

test("a refused configuration is offered again after a second, doubling to a minute", () => {
  assert.deepEqual([1, 2, 3, 6, 7, 1_000].map(offerDelayMs), [1_000, 2_000, 4_000, 32_000, 60_000, 60_000]);
});
