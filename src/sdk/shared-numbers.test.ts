import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type NumbersStep, SharedNumbers } from "./shared-numbers.ts";

const HOUR_MS = 3_600_000;
const PLACES = 65_536;

/** Counts in a key; `worth` is what it is worth from then on. */
const counting =
  (worth: number, keepMs = HOUR_MS): NumbersStep<{ count: number; isShared: boolean }> =>
  (entry) => {
    const count = ++entry.numbers[0]!;
    entry.worth = worth;
    entry.keepMs = keepMs;
    return { count, isShared: entry.isShared };
  };

function table(): SharedNumbers {
  return new SharedNumbers(SharedNumbers.allocate());
}

describe("numbers that workers share", () => {
  it("are those of their key, over all who look at the same memory", () => {
    const memory = SharedNumbers.allocate();
    const [one, other] = [new SharedNumbers(memory), new SharedNumbers(memory)];
    assert.deepEqual(one.update("a", counting(1)), { count: 1, isShared: false });
    assert.deepEqual(other.update("a", counting(1)), { count: 2, isShared: false });
    assert.deepEqual(other.update("b", counting(1)), { count: 1, isShared: false });
  });

  it("are the same whether a key is said at once or what it begins with before", () => {
    const numbers = table();
    const routes = numbers.under("route ");
    assert.equal(numbers.update("route a", counting(1)).count, 1);
    assert.equal(routes.update("a", counting(1)).count, 2);
    assert.equal(routes.update("b", counting(1)).count, 1);
    assert.equal(numbers.under("").update("route a", counting(1)).count, 3);
    assert.equal(numbers.update("a", counting(1)).count, 1);
  });

  it("begin anew when they mean nothing any more", () => {
    const numbers = table();
    numbers.update("a", counting(1, 0));
    assert.equal(numbers.update("a", counting(1)).count, 1);
  });

  it("outlive a flood of keys that are worth less, however long it is", () => {
    const numbers = table();
    const known = Array.from({ length: 1_000 }, (_, n) => `known ${n}`);
    for (const key of known) numbers.update(key, counting(0.5));
    for (let n = 0; n < 10 * PLACES; n++) numbers.update(`flood ${n}`, counting(0.01));
    for (const key of known) assert.equal(numbers.update(key, counting(0.5)).count, 2, key);
  });

  it("are not forgotten at their limit, even when all others are too: what finds no place shares one", () => {
    const numbers = table();
    const known = Array.from({ length: 1_000 }, (_, n) => `known ${n}`);
    for (const key of known) numbers.update(key, counting(1));
    const flood = Array.from({ length: 4 * PLACES }, (_, n) => numbers.update(`flood ${n}`, counting(1)));
    for (const key of known) assert.deepEqual(numbers.update(key, counting(1)), { count: 2, isShared: false }, key);
    const shared = flood.filter(({ isShared }) => isShared);
    assert.ok(shared.length >= 3 * PLACES - known.length, `${shared.length} found no place`);
    const most = shared.reduce((max, { count }) => Math.max(max, count), 0);
    assert.ok(most > 1, "they count together");
    assert.ok(flood.filter(({ isShared }) => !isShared).every(({ count }) => count === 1));
  });

  it("give their place to the next key once they have expired", () => {
    const numbers = table();
    for (let n = 0; n < 4 * PLACES; n++) numbers.update(`flood ${n}`, counting(1, 0));
    for (let n = 0; n < 1_000; n++)
      assert.deepEqual(numbers.update(`new ${n}`, counting(1)), { count: 1, isShared: false });
  });
});
