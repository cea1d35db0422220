import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run } from "../../sdk/testing.ts";
import { redirect } from "./plugin.ts";

async function location(config: object, asked: string, route = "/old"): Promise<string | undefined> {
  return (await run(redirect, config, request(asked, { route }))).headers.location;
}

describe("redirect", () => {
  it("sends every client to the place, with the query", async () => {
    const { status, headers, forwarded } = await run(redirect, { url: "https://new.example/" }, request("/old/a?b=c"));
    assert.deepEqual([status, headers.location, forwarded], [302, "https://new.example/?b=c", undefined]);
    assert.equal((await run(redirect, { url: "/new", status: 308 })).status, 308);
    assert.equal(await location({ url: "/new", keep_query: false }, "/old?b=c"), "/new");
    assert.equal(await location({ url: "/new?x=1" }, "/old?b=c"), "/new?x=1");
  });

  it("keeps what is behind the path of the route where that is wanted", async () => {
    const config = { url: "https://new.example/shop/", keep_path: true };
    assert.equal(await location(config, "/old/a/b?c"), "https://new.example/shop/a/b?c");
    assert.equal(await location(config, "/old"), "https://new.example/shop");
    assert.equal(await location({ url: "/", keep_path: true }, "/old"), "/");
  });

  it("makes the place of what a pattern finds, and answers 404 where it finds nothing", async () => {
    const config = { url: "https://shop.example/items/$1", regex: "^/old/item-(\\d+)$", status: 301 };
    assert.equal(await location(config, "/old/item-7?a=b"), "https://shop.example/items/7?a=b");
    assert.equal((await run(redirect, config, request("/old/item-x"))).failure, "routeNotFound");
  });

  it("cannot be made to send anybody to a host that is not in the configuration", async () => {
    assert.equal(await location({ url: "/", keep_path: true }, "/old//evil.example/x"), "/evil.example/x");
    assert.equal(await location({ url: "/$1", regex: "^/old/(.*)$" }, "/old//evil.example"), "/evil.example");
    for (const url of ["https://new.example$1", "https://$1/", "//evil.example", "javascript:alert(1)", "https://a@b/"])
      await assert.rejects(run(redirect, { url, regex: "(.*)" }), /must be a URL such as/, url);
  });

  it("refuses what is no redirect", async () => {
    await assert.rejects(run(redirect, {}), /url/);
    await assert.rejects(run(redirect, { url: "/a", status: 200 }), /status/);
    await assert.rejects(run(redirect, { url: "/$2", regex: "(a)" }), /there is no group 2; the pattern has 1/);
    await assert.rejects(run(redirect, { url: "/", regex: "a", keep_path: true }), /and regex exclude each other/);
  });
});
