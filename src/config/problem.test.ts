import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeProblem } from "./problem.ts";

describe("describeProblem", () => {
  it("says line, path and message of what stands in a document", () => {
    const problem = { path: "routes[0].path", message: 'must start with "/"', line: 12, kind: "route", id: "api" };
    assert.equal(describeProblem(problem), 'line 12: routes[0].path: must start with "/"');
  });

  it("names the resource where there is no document", () => {
    const problem = { path: "backends[0].url", message: "is required", kind: "route", id: "api" };
    assert.equal(describeProblem(problem), "route:api: backends[0].url: is required");
  });

  it("does not say a path twice that the message begins with", () => {
    const problem = { path: "cluster.role", message: 'cluster.role must be "standalone"' };
    assert.equal(describeProblem(problem), 'cluster.role must be "standalone"');
  });
});
