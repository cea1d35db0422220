import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run } from "../../sdk/testing.ts";
import { staticAnswer } from "./plugin.ts";

describe("static", () => {
  it("answers what it is told to, and asks no upstream", async () => {
    const config = { status: 503, headers: { "Retry-After": "3600" }, body: "Back in an hour.\n" };
    const { status, headers, body, forwarded } = await run(staticAnswer, config, request("/x"));
    assert.deepEqual([status, body.toString(), forwarded], [503, "Back in an hour.\n", undefined]);
    assert.deepEqual(headers, { "retry-after": "3600", "content-type": "text/plain; charset=utf-8" });
  });

  it("has the type that its headers say", async () => {
    const config = { headers: { "content-type": "application/json" }, body: "{}" };
    assert.equal((await run(staticAnswer, config)).headers["content-type"], "application/json");
    assert.deepEqual((await run(staticAnswer, { status: 204 })).headers, {});
  });

  it("refuses what cannot be an answer", async () => {
    await assert.rejects(run(staticAnswer, { status: 101 }), /status/);
    await assert.rejects(run(staticAnswer, { status: 204, body: "x" }), /has to be empty with 204, 205, 304/);
    await assert.rejects(run(staticAnswer, { headers: { "Content-Length": "3" } }), /the gateway writes/);
    await assert.rejects(run(staticAnswer, { headers: { "X-A": "1\r\nX-B: 2" } }), /must be one line/);
    await assert.rejects(run(staticAnswer, { body: "x".repeat(65_537) }), /body/);
  });
});
