import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configurationOf } from "../testing/test-proxy.ts";
import { type AskedRequest, explainRoute, type RouteExplanation } from "./explain-route.ts";

const nowhere = { backends: [{ url: "http://a" }] };

function explain(routes: Readonly<Record<string, object>>, asked: Partial<AskedRequest>): RouteExplanation {
  const withTargets = Object.entries(routes).map(([id, route]) => [id, { ...nowhere, ...route }]);
  const configuration = configurationOf({ routes: Object.fromEntries(withTargets) });
  const explanation = explainRoute(configuration.routes, { method: "GET", url: "/", headers: [], ...asked });
  assert.ok(typeof explanation !== "string", String(explanation));
  return explanation;
}

describe("an explanation of which route answers", () => {
  it("names the route, and for each other what it lost by, the nearest to winning first", () => {
    const routes = {
      root: { path: "/", path_prefix: true },
      deep: { path: "/api", path_prefix: true },
      user: { path: "/api/{id}" },
      me: { path: "/api/me", match: { domains: ["*.example.com"], headers: [{ name: "x-a", present: true }] } },
      same: { path: "/api/me", match: { domains: ["*.example.com"], headers: [{ name: "x-a", value: "1" }] } },
      any: { path: "/api/me" },
      writer: { path: "/api/me", methods: ["POST"] },
      beta: { path: "/api/me", match: { cookies: [{ name: "group", value: "secret" }] } },
      shop: { path: "/api/me", match: { domains: ["shop.test"] } },
      orders: { path: "/orders" },
    };
    const explanation = explain(routes, { url: "http://www.Example.com:81/api/me?q=1", headers: ["X-A: 1"] });
    assert.equal(explanation.route, "me");
    assert.deepEqual(
      explanation.others.map(({ id, lostBy, reason }) => `${id}: ${lostBy}: ${reason}`),
      [
        "same: order: an equally specific route stands before it in the document",
        "root: specificity: an exact path goes before a prefix",
        "deep: specificity: an exact path goes before a prefix",
        "user: specificity: an exact path goes before a path with parameters",
        "any: specificity: a route of a more specific host goes before it",
        "writer: method: it answers POST",
        "beta: condition: it asks that the cookie group has a certain value",
        "shop: host: it answers shop.test",
        "orders: path: it answers /orders",
      ],
    );
    assert.deepEqual(explanation.unlisted, {});
  });

  it("names the methods that would do where no route answers", () => {
    const explanation = explain({ a: { path: "/a", methods: ["POST", "PUT"] } }, { url: "/a" });
    assert.deepEqual([explanation.route, explanation.allow], [undefined, ["POST", "PUT"]]);
  });

  it("lists a few of many and counts the others", () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`r${n}`, { path: `/${n}` }]));
    const explanation = explain(many, { url: "/7" });
    assert.equal(explanation.route, "r7");
    assert.deepEqual([explanation.others.length, explanation.unlisted], [50, { path: 149 }]);
  });

  it("is not given for what the gateway would refuse", () => {
    const refused = (asked: Partial<AskedRequest>) =>
      explainRoute([], { method: "GET", url: "/", headers: [], ...asked });
    for (const asked of [{ url: "/a b" }, { headers: ["no colon"] }, { headers: ["a: b\r\nc: d"] }, { method: "G T" }])
      assert.equal(typeof refused(asked), "string", JSON.stringify(asked));
  });
});
