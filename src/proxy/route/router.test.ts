import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Route } from "../../config/resources/route.ts";
import { RequestParser } from "../../http/request-parser.ts";
import { configurationOf } from "../testing/test-proxy.ts";
import { UPSTREAM_WITHOUT_TARGETS } from "../testing/upstream-without-targets.ts";
import { CompiledRoute } from "./compiled-route.ts";
import { Router } from "./router.ts";

const nowhere = { backends: [{ url: "http://a" }] };

function routerOf(routes: readonly Route[]): Router {
  const router = new Router();
  for (const [order, route] of routes.entries())
    router.add(new CompiledRoute(route, order, UPSTREAM_WITHOUT_TARGETS, { slot: order, accessLog: undefined }));
  return router;
}

function compile(routes: Readonly<Record<string, object>>): Router {
  const withTargets = Object.entries(routes).map(([id, route]) => [id, { ...nowhere, ...route }]);
  return routerOf(configurationOf({ routes: Object.fromEntries(withTargets) }).routes);
}

function requestOf(method: string, target: string, host = "a", ...fields: readonly string[]): RequestParser {
  const parser = new RequestParser();
  const text = Buffer.from([`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...fields, "", ""].join("\r\n"));
  assert.equal(parser.feed(text, 0, text.length, 8_192), "complete", parser.refusal.reason);
  return parser;
}

function routed(router: Router, target: string, host?: string, ...fields: readonly string[]): string | undefined {
  return router.match(requestOf("GET", target, host, ...fields), [])?.id;
}

describe("a route is found", () => {
  it("by its exact path before parameters before the longest prefix", () => {
    const router = compile({
      root: { path: "/", path_prefix: true },
      users: { path: "/users", path_prefix: true },
      user: { path: "/users/{id}" },
      me: { path: "/users/me" },
      posts: { path: "/users/{id}/posts", path_prefix: true },
    });
    const table = {
      "/": "root",
      "/usersx": "root",
      "/users": "users",
      "/users/": "users",
      "/users/me": "me",
      "/users/7": "user",
      "/users/7/x": "users",
      "/users/7/posts": "posts",
      "/users/7/posts/1": "posts",
      "/users/me/posts": "posts",
    };
    for (const [path, id] of Object.entries(table)) assert.equal(routed(router, path), id, path);
  });

  it("by literal segments before parameters, from the left", () => {
    const router = compile({ right: { path: "/{a}/b" }, left: { path: "/a/{b}" }, deep: { path: "/{a}/{b}/c" } });
    assert.equal(routed(router, "/a/b"), "left");
    assert.equal(routed(router, "/x/b"), "right");
    assert.equal(routed(router, "/a/b/c"), "deep");
    assert.equal(routed(router, "/a/"), undefined, "a parameter is not empty");
  });

  it("by exact host, then the longest wildcard, then any", () => {
    const router = compile({
      any: { path: "/" },
      wide: { path: "/", match: { domains: ["*.example.com"] } },
      narrow: { path: "/", match: { domains: ["*.eu.example.com"] } },
      exact: { path: "/", match: { domains: ["other.test", "API.eu.example.com"] } },
    });
    const table = {
      "api.EU.example.com:8080": "exact",
      "x.eu.example.com": "narrow",
      "x.y.eu.example.com.": "narrow",
      "eu.example.com": "wide",
      "example.com": "any",
      "badexample.com": "any",
      "": "any",
    };
    for (const [host, id] of Object.entries(table)) assert.equal(routed(router, "/", host), id, host);
  });

  it("by the number of conditions, then methods, then the order of the document", () => {
    const router = compile({
      first: { path: "/" },
      second: { path: "/" },
      reader: { path: "/", methods: ["GET"] },
      header: { path: "/", match: { headers: [{ name: "X-A", value: "1" }] } },
      both: { path: "/", match: { headers: [{ name: "x-a", value: "1" }], query: [{ name: "q", present: true }] } },
      absent: { path: "/b", match: { headers: [{ name: "x-a", present: false }] } },
    });
    assert.equal(routed(router, "/"), "reader");
    assert.equal(router.match(requestOf("POST", "/"), [])?.id, "first");
    assert.equal(routed(router, "/", "a", "x-A: 1"), "header");
    assert.equal(routed(router, "/", "a", "x-A: 2"), "reader");
    assert.equal(routed(router, "/?q=%20", "a", "x-A: 1"), "both");
    assert.equal(routed(router, "/b", "a", "x-a: "), undefined);
    assert.equal(routed(router, "/b"), "absent");
  });

  it("by the path that is sent on, not by another spelling of it", () => {
    const router = compile({
      open: { path: "/public", path_prefix: true },
      shut: { path: "/admin", path_prefix: true },
    });
    for (const path of ["/public/../admin", "/public/%2e%2E/admin/", "/%61dmin", "/public/./../admin/x"])
      assert.equal(routed(router, path), "shut", path);
    assert.equal(routed(router, "/public%2F..%2Fadmin"), undefined);
    assert.equal(routed(router, "/public/..%2fadmin"), "open");
  });

  it("or the methods that would do are", () => {
    const router = compile({
      a: { path: "/a", methods: ["POST"] },
      b: { path: "/", path_prefix: true, methods: ["PUT"] },
    });
    const others: string[] = [];
    assert.equal(router.match(requestOf("GET", "/a"), others), undefined);
    assert.deepEqual(others, ["POST", "PUT"]);
    assert.equal(router.match(requestOf("PUT", "/a"), [])?.id, "b");
  });
});

describe("the router", () => {
  /** The rules of matching as a filter and a sort. */
  function reference(routes: readonly Route[], request: RequestParser): string | undefined {
    const path = request.path.split("/").slice(1);
    const fits = routes.flatMap((route, order) => {
      const own = route.path.split("/").slice(1);
      if (route.path_prefix && own.at(-1) === "") own.pop();
      const isParameter = own.map((segment) => segment.startsWith("{"));
      const isFit =
        (route.path_prefix ? path.length >= own.length : path.length === own.length) &&
        own.every((segment, index) => (isParameter[index] ? path[index] !== "" : segment === path[index])) &&
        (route.methods.length === 0 || route.methods.includes(request.method));
      const tier = route.path_prefix ? 2 : isParameter.includes(true) ? 1 : 0;
      const hosts =
        route.match.domains.length === 0 ? [3] : route.match.domains.map((domain) => hostRank(domain, request.host));
      const host = Math.min(...hosts);
      if (!isFit || host === 4) return [];
      return [
        {
          id: route.id,
          key: [
            tier,
            -own.length,
            ...isParameter.map(Number),
            ...Array(5 - own.length).fill(0),
            host,
            route.methods.length > 0 ? 0 : 1,
            order,
          ],
        },
      ];
    });
    fits.sort((a, b) => a.key.reduce((found, part, index) => found || part - b.key[index]!, 0));
    return fits[0]?.id;
  }

  function hostRank(domain: string, host: string): number {
    if (!domain.startsWith("*")) return domain === host ? 0 : 4;
    if (!host.endsWith(domain.slice(1)) || host.length < domain.length) return 4;
    return domain.length > 3 ? 1 : 2;
  }

  it("agrees with its rules written as a filter and a sort", () => {
    const segment = fc.constantFrom("a", "b", "{p}", "");
    const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join("/")}`);
    const route = fc.record({
      path,
      path_prefix: fc.boolean(),
      methods: fc.constantFrom([], [], ["GET"], ["POST"]),
      match: fc.record({ domains: fc.constantFrom([], [], ["h.b.c"], ["*.c"], ["*.b.c", "x"]) }),
    });
    const target = fc
      .array(fc.constantFrom("a", "b", "c", ""), { minLength: 1, maxLength: 5 })
      .map((s) => `/${s.join("/")}`);
    fc.assert(
      fc.property(
        fc.array(route, { maxLength: 12 }),
        fc.array(fc.tuple(fc.constantFrom("GET", "POST"), target, fc.constantFrom("h.b.c", "x.b.c", "b.c", "x", "c")), {
          minLength: 1,
        }),
        (specs, requests) => {
          // Segments "" in the middle of a path are segments like any other; at the end of a prefix they are not.
          const valid = specs.filter((spec) => !(spec.path_prefix && spec.path.endsWith("//")));
          const routes = configurationOf({
            routes: Object.fromEntries(valid.map((spec, index) => [`r${index}`, { ...nowhere, ...spec }])),
          }).routes;
          const router = routerOf(routes);
          for (const [method, path, host] of requests) {
            const request = requestOf(method, path, host);
            assert.equal(router.match(request, [])?.id, reference(routes, request), `${method} ${host} ${path}`);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
