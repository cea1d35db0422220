import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run } from "../../sdk/testing.ts";
import { transform } from "./plugin.ts";

describe("transform", () => {
  it("removes, sets and adds headers of requests, with what is known about them", async () => {
    const headers = {
      remove: ["X-Secret"],
      set: { "X-Who": "$consumer@$remote_addr", "X-Old": "new" },
      add: { "X-List": "b" },
    };
    const asked = request("/x", { headers: { "x-secret": "s", "x-old": "old", "x-list": "a" }, consumer: "alice" });
    const { forwarded } = await run(transform, { request: { headers } }, asked);
    assert.deepEqual(forwarded?.headers, { "x-old": "new", "x-list": "a, b", "x-who": "alice@192.0.2.1" });
  });

  it("does the same to responses", async () => {
    const config = { response: { headers: { remove: ["server"], set: { "X-Path": "$method $path" } } } };
    const upstream = { headers: { Server: "x", "X-Kept": "1" } };
    const { headers } = await run(transform, config, request("/a/b"), { upstream });
    assert.deepEqual(headers, { "x-kept": "1", "x-path": "GET /a/b" });
  });

  it("makes no second header of what a client sends", async () => {
    const config = { request: { headers: { set: { "X-Path": "$path" } } } };
    const { forwarded } = await run(transform, config, request("/a\r\nX-Admin: 1"));
    assert.deepEqual(forwarded?.headers, { "x-path": "/aX-Admin: 1" });
  });

  it("refuses variables that do not exist, and what is no header", async () => {
    await assert.rejects(
      run(transform, { request: { headers: { set: { "X-A": "$pasword" } } } }),
      /may use \$remote_addr/,
    );
    await assert.rejects(
      run(transform, { request: { headers: { set: { "X A": "1" } } } }),
      /X A.* is not the name of a header field/,
    );
    for (const ours of ["Host", "content-length", "X-Forwarded-For"])
      await assert.rejects(
        run(transform, { request: { headers: { remove: [ours] } } }),
        /the gateway writes .* itself/,
      );
    await assert.rejects(run(transform, { request: { headers: { set: { "X-A": "1\n2" } } } }), /must be one line/);
  });
});
