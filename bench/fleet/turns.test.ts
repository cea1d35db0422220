import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Turns } from "./turns.ts";

test("one action is done in each turn of the event loop, in the order of asking", async () => {
  const turns = new Turns();
  const done: string[] = [];
  const seen: number[] = [];
  for (const name of ["a", "b", "c"]) turns.take(() => done.push(name));
  while (done.length < 3) {
    await nextTurn();
    seen.push(done.length);
  }
  assert.deepEqual(done, ["a", "b", "c"]);
  assert.ok(
    seen.every((count, index) => count - (seen[index - 1] ?? 0) <= 1),
    `actions done after each turn: ${seen}`,
  );
});

test("an action asked for after the queue ran dry is done too", async () => {
  const turns = new Turns();
  await new Promise<void>((resolve) => turns.take(resolve));
  await new Promise<void>((resolve) => turns.take(() => turns.take(resolve)));
});
