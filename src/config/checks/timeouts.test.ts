import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onlyProblemOf, problemsOf } from "../testing/problems-of.ts";

describe("shutdown.drain_delay", () => {
  it("is shorter than the timeout, also than its default", () => {
    assert.deepEqual(problemsOf("shutdown: {drain_delay: 29s}"), []);
    assert.deepEqual(problemsOf("shutdown: {timeout: 0s}"), []);
    assert.match(onlyProblemOf("shutdown: {drain_delay: 30s}"), /^shutdown\.drain_delay: must be shorter/);
    assert.match(onlyProblemOf("shutdown: {timeout: 5s, drain_delay: 6s}"), /must be shorter/);
  });
});
