import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestParser } from "../../http/request-parser.ts";
import { configurationOf } from "../testing/test-proxy.ts";
import { RouteMatcher } from "./route-matcher.ts";
import { Router } from "./router.ts";

const nowhere = { backends: [{ url: "http://a" }] };

function compile(routes: Readonly<Record<string, object>>): Router<RouteMatcher> {
  const withTargets = Object.entries(routes).map(([id, route]) => [id, { ...nowhere, ...route }]);
  const router = new Router<RouteMatcher>();
  for (const route of configurationOf({ routes: Object.fromEntries(withTargets) }).routes)
    router.add(new RouteMatcher(route));
  return router;
}

function requestOf(method: string, target: string, host = "a", ...fields: readonly string[]): RequestParser {
  const parser = new RequestParser();
  const text = Buffer.from([`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...fields, "", ""].join("\r\n"));
  assert.equal(parser.feed(text, 0, text.length, 8_192), "complete", parser.refusal.reason);
  return parser;
}

function routed(
  router: Router<RouteMatcher>,
  target: string,
  host?: string,
  ...fields: readonly string[]
): string | undefined {
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

  it("by cookies, and by what is found in a header, a parameter, a cookie or the path", () => {
    const router = compile({
      any: { path: "/" },
      beta: { path: "/", match: { cookies: [{ name: "group", value: "beta" }] } },
      phone: { path: "/", match: { headers: [{ name: "User-Agent", regex: "Mobile|Android" }] } },
      number: { path: "/", match: { query: [{ name: "id", regex: "^[0-9]+$" }] } },
      versions: { path: "/", path_prefix: true, match: { path_regex: "^/v[0-9]+/" } },
    });
    assert.equal(routed(router, "/", "a", "Cookie: x=1; group=beta; group=b"), "beta");
    assert.equal(routed(router, "/", "a", "Cookie: group=b; group=beta"), "any", "the first of two counts");
    assert.equal(routed(router, "/", "a", "Cookie: x=1", "cookie: group=beta"), "beta");
    assert.equal(routed(router, "/", "a", "User-Agent: X (Android 14)"), "phone");
    assert.equal(routed(router, "/?id=7"), "number");
    assert.equal(routed(router, "/?id=7x"), "any");
    assert.equal(routed(router, "/v2/users"), "versions");
    assert.equal(routed(router, "/vx/users"), undefined);
  });

  it("by a header as one list, however many lines it came in", () => {
    const router = compile({ both: { path: "/", match: { headers: [{ name: "x-a", value: "1, 2" }] } } });
    assert.equal(routed(router, "/", "a", "X-A: 1", "x-a: 2"), "both");
    assert.equal(routed(router, "/", "a", "X-A: 1"), undefined);
  });

  it("among a hundred thousand of its path by the value that it asks for", () => {
    const router = compile({ none: { path: "/" } });
    const [spec] = configurationOf({ routes: { r: { path: "/", ...nowhere } } }).routes;
    for (let index = 0; index < 100_000; index++) {
      const headers = [{ name: "x-tenant", value: `t${index}` }];
      router.add(new RouteMatcher({ ...spec!, id: `r${index}`, match: { ...spec!.match, headers } }));
    }
    for (let index = 0; index < 5_000; index++)
      assert.equal(routed(router, "/", "a", `X-Tenant: t${index}`), `r${index}`);
    assert.equal(routed(router, "/", "a", "X-Tenant: nobody"), "none");
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
