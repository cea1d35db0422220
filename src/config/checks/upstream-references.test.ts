import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { parseDocument } from "../document.ts";
import { Language } from "../language.ts";
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

describe("an upstream that a plugin names", () => {
  const config = z.strictObject({ to: z.array(z.string()) });
  const upstreamsOf = ({ to }: Readonly<Record<string, unknown>>) =>
    (to as readonly string[]).map((upstream, index) => ({ path: `to[${index}]`, upstream }));
  const language = new Language([{ name: "copy", config, upstreamsOf }]);
  const problems = (route: string, more = "") => {
    const text = `routes: [{ id: r, path: /, upstream: orders${route} }]\nupstreams: { orders: { backends: [{ url: "http://x" }] } }\n`;
    const document = parseDocument(language, text + more);
    return document.ok ? [] : document.problems.map(({ path, message }) => `${path}: ${message}`);
  };

  it("exists, wherever the plugin is configured", () => {
    assert.deepEqual(problems(", copy: { to: [orders, order] }"), [
      'routes[0].copy.to[1]: there is no upstream "order"; did you mean "orders"?',
    ]);
    assert.deepEqual(problems("", "copy: { to: [nobody] }"), [
      'copy.to[0]: there is no upstream "nobody"; add it under upstreams',
    ]);
    assert.deepEqual(problems(", copy: { to: [orders] }", "copy: { to: [orders] }"), []);
  });

  it("need not, where the plugin is off", () => {
    assert.deepEqual(problems(", copy: { enabled: false }"), []);
  });
});
