import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onlyProblemOf, problemsOf } from "../testing/problems-of.ts";

describe("the upstream of a route", () => {
  const text = (name: string, url = "http://x") =>
    `routes: [{id: r, path: /, upstream: ${name}}]\nupstreams: {orders: {backends: [{url: "${url}"}]}}`;

  it("exists", () => {
    assert.deepEqual(problemsOf(text("orders")), []);
    assert.equal(
      onlyProblemOf(text("order")),
      'routes[0].upstream: there is no upstream "order"; did you mean "orders"?',
    );
    assert.equal(
      onlyProblemOf(text("billing")),
      'routes[0].upstream: there is no upstream "billing"; add it under upstreams',
    );
  });

  it("is not said to be missing because something else is wrong with it", () => {
    assert.match(onlyProblemOf(text("orders", "ftp://x")), /^upstreams\.orders\.backends\[0\]\.url/);
  });
});
