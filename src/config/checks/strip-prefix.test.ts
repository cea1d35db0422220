import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onlyProblemOf, problemsOf } from "../testing/problems-of.ts";

describe("strip_prefix", () => {
  const text = (prefix: boolean) =>
    `routes: [{id: a, path: /a, path_prefix: ${prefix}, strip_prefix: true, backends: [{url: "http://x"}]}]`;

  it("needs a prefix to take off", () => {
    assert.deepEqual(problemsOf(text(true)), []);
    assert.match(onlyProblemOf(text(false)), /^routes\[0\]\.strip_prefix: needs path_prefix: true/);
  });
});
