import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run } from "../../sdk/testing.ts";
import { cors } from "./plugin.ts";

const config = {
  allow_origins: ["https://app.example.com", "https://*.shop.example"],
  allow_credentials: true,
  expose_headers: ["X-Total"],
};
const from = (origin: string) => request("/", { headers: { Origin: origin } });
const preflight = (origin: string) =>
  request("/", { method: "OPTIONS", headers: { Origin: origin, "Access-Control-Request-Method": "PUT" } });

describe("cors", () => {
  it("names an allowed origin in responses, exactly or below a host, and tells caches that they differ", async () => {
    for (const origin of ["https://app.example.com", "https://a.b.shop.example"]) {
      const { headers } = await run(cors, config, from(origin));
      assert.equal(headers["access-control-allow-origin"], origin);
      assert.equal(headers["access-control-allow-credentials"], "true");
      assert.equal(headers["access-control-expose-headers"], "X-Total");
      assert.equal(headers.vary, "Origin");
    }
  });

  it("says nothing to other origins, whatever the upstream says", async () => {
    const upstream = { headers: { "Access-Control-Allow-Origin": "*", Vary: "Accept" } };
    for (const origin of [
      "https://evil.example",
      "https://shop.example",
      "http://app.example.com",
      "https://app.example.com.evil",
      "https://evilshop.example",
    ]) {
      const { headers } = await run(cors, config, from(origin), { upstream });
      assert.equal(headers["access-control-allow-origin"], undefined, origin);
      assert.equal(headers.vary, "Accept, Origin");
    }
  });

  it("answers preflights itself, and passes on an OPTIONS that is none", async () => {
    const { status, headers, forwarded } = await run(cors, config, preflight("https://app.example.com"));
    assert.equal(status, 204);
    assert.equal(forwarded, undefined);
    assert.equal(headers["access-control-allow-methods"], "GET, POST, PUT, DELETE, PATCH, OPTIONS");
    assert.equal(headers["access-control-max-age"], "86400");
    assert.equal(
      (await run(cors, config, preflight("https://evil.example"))).headers["access-control-allow-methods"],
      undefined,
    );
    assert.ok((await run(cors, config, request("/", { method: "OPTIONS" }))).forwarded);
  });

  it("answers everybody alike where everybody may come", async () => {
    const { headers } = await run(cors, { allow_origins: ["*"] }, from("https://any.example"));
    assert.equal(headers["access-control-allow-origin"], "*");
    assert.equal(headers.vary, undefined);
  });

  it("refuses a configuration that lets any page act for its visitors, and what is no origin", async () => {
    await assert.rejects(run(cors, { allow_origins: ["*"], allow_credentials: true }), /the origins have to be named/);
    await assert.rejects(run(cors, { allow_origins: ["app.example.com"] }), /must be an origin such as/);
    await assert.rejects(run(cors, {}), /allow_origins/);
  });
});
