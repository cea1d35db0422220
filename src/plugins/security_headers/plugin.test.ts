import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run } from "../../sdk/testing.ts";
import { securityHeaders } from "./plugin.ts";

const overTls = request("/", { scheme: "https" });

describe("security_headers", () => {
  it("tells browsers to be careful, and to stay with https only when they came by it", async () => {
    const secure = await run(securityHeaders, {}, overTls);
    assert.deepEqual(secure.headers, {
      "strict-transport-security": "max-age=31536000",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "strict-origin-when-cross-origin",
    });
    assert.equal((await run(securityHeaders, {})).headers["strict-transport-security"], undefined);
  });

  it("leaves what the upstream says, or replaces it, and hides what the upstream runs", async () => {
    const upstream = { headers: { "X-Frame-Options": "SAMEORIGIN", Server: "old/1.0", "X-Powered-By": "x" } };
    const { headers } = await run(securityHeaders, {}, overTls, { upstream });
    assert.equal(headers["x-frame-options"], "SAMEORIGIN");
    assert.equal(headers.server, undefined);
    assert.equal(headers["x-powered-by"], undefined);
    const replaced = await run(securityHeaders, { override: true }, overTls, { upstream });
    assert.equal(replaced.headers["x-frame-options"], "DENY");
  });

  it("sends none of those that are switched off", async () => {
    const config = { hsts_max_age: 0, frame_options: "", content_security_policy: "default-src 'self'" };
    const { headers } = await run(securityHeaders, config, overTls);
    assert.equal(headers["strict-transport-security"], undefined);
    assert.equal(headers["x-frame-options"], undefined);
    assert.equal(headers["content-security-policy"], "default-src 'self'");
    await assert.rejects(run(securityHeaders, { frame_options: "a\r\nb: c" }), /must be one line/);
  });
});
