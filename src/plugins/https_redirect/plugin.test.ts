import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run } from "../../sdk/testing.ts";
import { httpsRedirect } from "./plugin.ts";

describe("https_redirect", () => {
  it("sends clients without TLS to the same place with it", async () => {
    const { status, headers, forwarded } = await run(
      httpsRedirect,
      {},
      request("/a?b=c", { host: "shop.example:8080" }),
    );
    assert.deepEqual([status, headers.location, forwarded], [307, "https://shop.example/a?b=c", undefined]);
    const other = await run(httpsRedirect, { port: 8443, permanent: true }, request("/", { host: "shop.example" }));
    assert.deepEqual([other.status, other.headers.location], [308, "https://shop.example:8443/"]);
  });

  it("lets those with TLS pass", async () => {
    assert.ok((await run(httpsRedirect, {}, request("/", { scheme: "https" }))).forwarded);
    await assert.rejects(run(httpsRedirect, { port: 0 }), /port/);
  });
});
