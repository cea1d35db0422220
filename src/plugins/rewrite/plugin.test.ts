import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run, TestPlugin } from "../../sdk/testing.ts";
import { rewrite } from "./plugin.ts";

async function target(config: object, asked: string, route = "/"): Promise<string | undefined> {
  return (await run(rewrite, config, request(asked, { route }))).forwarded?.target;
}

describe("rewrite", () => {
  it("puts a prefix in the place of the path that the route matched", async () => {
    assert.equal(await target({ prefix: "/v2" }, "/api/users?page=2", "/api"), "/v2/users?page=2");
    assert.equal(await target({ prefix: "/v2/" }, "/api", "/api"), "/v2");
    assert.equal(await target({ prefix: "/v2" }, "/users", "/"), "/v2/users");
    assert.equal(await target({ prefix: "/" }, "/api?a=/b", "/api"), "/?a=/b");
    assert.equal(await target({ prefix: "/" }, "/api/%2Fx//y", "/api"), "/%2Fx//y");
  });

  it("replaces what a pattern finds in the path, and leaves the query alone", async () => {
    const users = { regex: "^/users/(\\d+)/orders$", replacement: "/orders/by/$1" };
    assert.equal(await target(users, "/users/7/orders?users=1"), "/orders/by/7?users=1");
    assert.equal(await target(users, "/users/x/orders"), "/users/x/orders");
    assert.equal(await target({ regex: "_", replacement: "-" }, "/a_b_c?d_e"), "/a-b-c?d_e");
  });

  it("names another Host", async () => {
    const { forwarded } = await run(rewrite, { host: "internal.example:8080" }, request("/a?b"));
    assert.equal(forwarded?.host, "internal.example:8080");
    assert.equal(forwarded?.target, "/a?b");
  });

  it("lets no client out of the place that it is sent to", async () => {
    const holes = new TestPlugin(rewrite, { regex: "x|25", replacement: "" });
    for (const path of ["/.x./admin", "/a/x..", "/%252e%252E/admin", "/a/x."]) {
      const { failure, forwarded } = await holes.run(request(path));
      assert.equal(failure, "badRequest", path);
      assert.equal(forwarded, undefined, path);
    }
    assert.deepEqual(holes.events, { refused: 4 });
    assert.equal((await run(rewrite, { regex: "^/", replacement: "" }, request("/a"))).failure, "badRequest");
    assert.equal(await target({ regex: "x", replacement: "" }, "/a.x.b/.xc?/../"), "/a..b/.c?/../");
  });

  it("refuses a configuration that says nothing, two things, or what cannot be", async () => {
    const refused = (config: object, pattern: RegExp) => assert.rejects(run(rewrite, config), pattern);
    await refused({}, /needs prefix, regex with replacement, or host/);
    await refused({ regex: "a" }, /regex and replacement go together/);
    await refused({ prefix: "/a", regex: "a", replacement: "b" }, /and regex exclude each other/);
    await refused({ prefix: "v2" }, /must be a path such as/);
    await refused({ prefix: "/v2?x=1" }, /must have no query/);
    await refused({ regex: "(", replacement: "" }, /missing closing \)/);
    await refused({ regex: "(a)", replacement: "$2" }, /there is no group 2; the pattern has 1/);
    await refused({ host: "a b" }, /must be a host/);
  });
});
