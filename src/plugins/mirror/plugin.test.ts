import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run, TestPlugin } from "../../sdk/testing.ts";
import { mirror } from "./plugin.ts";

describe("mirror", () => {
  it("has every request copied to the upstream", async () => {
    const copies = new TestPlugin(mirror, { upstream: "next" });
    const { status, forwarded } = await copies.run(request("/a"));
    assert.deepEqual([status, forwarded?.copies, forwarded?.upstream], [200, ["next"], undefined]);
    assert.deepEqual(copies.events, { answered: 1 });
  });

  it("has a share of them copied where that is wanted", async () => {
    const copies = new TestPlugin(mirror, { upstream: "next", percentage: 12.5 });
    for (let n = 0; n < 80; n++) await copies.run();
    assert.deepEqual(copies.events, { answered: 10 });
  });

  it("copies nothing whose body is too long", async () => {
    const copies = new TestPlugin(mirror, { upstream: "next", max_body_size: 3 });
    await copies.run(request("/", { method: "POST", body: "four" }));
    await copies.run(request("/", { method: "POST", body: "abc" }));
    assert.deepEqual(copies.events, { too_large: 1, answered: 1 });
  });

  it("refuses what has no bounds", async () => {
    await assert.rejects(run(mirror, {}), /upstream/);
    await assert.rejects(run(mirror, { upstream: "next", percentage: 101 }), /percentage/);
    await assert.rejects(run(mirror, { upstream: "next", timeout: "0s" }), /must be longer than nothing/);
    const much = { upstream: "next", max_body_size: 1_000_000, max_in_flight: 1_000 };
    await assert.rejects(run(mirror, much), /must be at most 268435456 bytes/);
  });
});
