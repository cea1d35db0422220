import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onlyProblemOf, problemsOf } from "../testing/problems-of.ts";

describe("routes of one path", () => {
  const target = 'backends: [{url: "http://x"}]';
  const routes = (one: string, other: string) => `routes: [{id: a, ${one}, ${target}}, {id: b, ${other}, ${target}}]`;
  const clash = (one: string, other: string) => onlyProblemOf(routes(one, other));
  const fine = (one: string, other: string) => assert.deepEqual(problemsOf(routes(one, other)), []);

  it("are told when nothing tells them apart, and both are named", () => {
    assert.equal(
      clash("path: /x", "path: /x"),
      'routes[1].path: the route "a" answers /x under the same conditions; remove one or tell them apart by match or methods',
    );
    assert.match(clash("path: /x, methods: [GET, PUT]", "path: /x, methods: [POST, PUT]"), /answers PUT \/x/);
  });

  it("are the same path whatever their parameters are called and however they are escaped", () => {
    assert.match(clash("path: '/x/{a}'", "path: '/x/{b}'"), /route "a"/);
    assert.match(clash("path: /x/, path_prefix: true", "path: /%78, path_prefix: true"), /route "a"/);
  });

  it("are the same conditions in any order, and header and host names in any case", () => {
    const match = (domains: string, header: string) =>
      `path: /x, match: {domains: [${domains}], headers: [{name: ${header}, value: v}, {name: z, present: true}]}`;
    assert.match(clash(match("a.com, B.com", "X-A"), match("b.com, a.com", "x-a")), /route "a"/);
  });

  it("may differ in methods, conditions, or in being a prefix", () => {
    fine("path: /x, methods: [GET]", "path: /x, methods: [POST]");
    fine("path: /x", "path: /x, methods: [GET]");
    fine("path: /x", "path: /x, path_prefix: true");
    fine("path: /x", "path: /x, match: {domains: [a.com]}");
    fine("path: /x, match: {query: [{name: q, value: a}]}", "path: /x, match: {query: [{name: q, present: true}]}");
    fine("path: /x, match: {query: [{name: q, value: a}]}", "path: /x, match: {query: [{name: Q, value: a}]}");
  });
});
