import assert from "node:assert/strict";
import { test } from "node:test";
import { SendTurns } from "./send-turns.ts";
import { ManualClock } from "./testing/manual-clock.ts";

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("turns are given in the order of asking, so many at a time", async () => {
  const turns = new SendTurns(2, new ManualClock());
  const given: string[] = [];
  const holders = ["a", "b", "c", "d"].map((name) => ({ name }));
  for (const holder of holders) turns.ask(holder, () => given.push(holder.name));
  assert.deepEqual(given, []);
  await settled();
  assert.deepEqual([given, turns.waiting], [["a", "b"], 2]);
  turns.giveUp(holders[2]!);
  turns.giveUp(holders[0]!);
  await settled();
  assert.deepEqual([given, turns.waiting], [["a", "b", "d"], 0]);
});

test("a turn that lasts too long no longer counts", async () => {
  const clock = new ManualClock();
  const turns = new SendTurns(1, clock);
  const given: string[] = [];
  const [slow, other] = [{}, {}];
  turns.ask(slow, () => given.push("slow"));
  turns.ask(other, () => given.push("other"));
  clock.advance(5_000);
  await settled();
  assert.deepEqual(given, ["slow", "other"]);
  turns.giveUp(slow);
  turns.giveUp(other);
});

test("how long those that wait will take is reckoned from how long turns took", async () => {
  const clock = new ManualClock();
  const turns = new SendTurns(2, clock);
  const holders = Array.from({ length: 100 }, () => ({}));
  for (const holder of holders) turns.ask(holder, () => {});
  assert.equal(turns.backlogMs, 0);
  for (const holder of holders.slice(0, 60)) {
    clock.advance(10);
    turns.giveUp(holder);
  }
  // Two at a time, and each in its turn for about 20 ms: 38 that wait are there after 380 ms.
  assert.equal(turns.waiting, 38);
  assert.ok(turns.backlogMs > 300 && turns.backlogMs < 390, `${turns.backlogMs}`);
});
