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

describe("the times of a route", () => {
  const route = (policy: string) =>
    `routes: [{id: r, path: /, backends: [{url: "http://x"}], timeout_policy: ${policy}}]`;

  it("are each part of the one around it", () => {
    assert.deepEqual(problemsOf(route("{request: 30s, backend: 10s, header_timeout: 2s}")), []);
    assert.deepEqual(problemsOf(route("{request: 0s, backend: 10m, header_timeout: 10m}")), []);
    assert.deepEqual(problemsOf(route("{backend: 1m, header_timeout: 2m}")), [
      "line 1: routes[0].timeout_policy.backend: must be at most request, of which it is a part",
      "line 1: routes[0].timeout_policy.header_timeout: must be at most backend, of which it is a part",
      "line 1: routes[0].timeout_policy.header_timeout: must be at most request, of which it is a part",
    ]);
  });
});
