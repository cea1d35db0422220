import assert from "node:assert/strict";
import { it } from "node:test";
import { timeOfDayBy } from "./time-of-day.ts";

it("tells the time of day from another clock, and follows the system's within a second of it being set", () => {
  let now = 1_000_000;
  const timeOfDay = timeOfDayBy({ now: () => now });
  assert.equal(timeOfDay(500), 1_000_000);
  now = 2_000_000;
  assert.equal(timeOfDay(1_499), 1_000_999);
  assert.equal(timeOfDay(1_500), 2_000_000);
  assert.equal(timeOfDay(1_600), 2_000_100);
});
