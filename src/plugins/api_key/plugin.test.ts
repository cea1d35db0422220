import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run, systemClock, TestPlugin } from "../../sdk/testing.ts";
import { apiKey, hashApiKey } from "./plugin.ts";

const KEY = "rw_7Jd0Q1mZx8s5T2uVbYcW";
const consumers = {
  alice: { keys: [{ hash: hashApiKey(KEY) }] },
  bob: { keys: [{ hash: hashApiKey("old"), expires_at: "2026-01-01T00:00:00Z" }, { hash: hashApiKey("new") }] },
};
const clock = { ...systemClock, now: () => Date.parse("2026-06-01T00:00:00Z") };
const sent = (key: string, header = "X-API-Key") => request("/x", { headers: { [header]: key } });

describe("api_key", () => {
  it("knows a consumer by any of its keys, and keeps the key from the upstream", async () => {
    const { status, consumer, forwarded } = await run(apiKey, {}, sent(KEY), { consumers });
    assert.equal(status, 200);
    assert.deepEqual(consumer, { id: "alice", authenticatedBy: "api_key", claims: {} });
    assert.equal(forwarded?.headers["x-api-key"], undefined);
    assert.equal((await run(apiKey, {}, sent("new"), { consumers })).consumer?.id, "bob");
  });

  it("refuses keys that are wrong, over, endless, or a hash, and tells none of them to anybody", async () => {
    const plugin = new TestPlugin(apiKey, {}, { consumers, clock });
    for (const key of ["wrong", "", "old", "x".repeat(100_000), hashApiKey(KEY), `${KEY} `.trimEnd().toLowerCase()]) {
      const refused = await plugin.run(sent(key));
      assert.equal(refused.failure, "consumerUnknown", key.slice(0, 80));
      assert.equal(refused.headers["www-authenticate"], "API-Key");
      assert.ok(key === "" || !JSON.stringify(refused).includes(key));
    }
    assert.deepEqual(plugin.events, { refused: 5, expired: 1 });
  });

  it("leaves a request without a key to others", async () => {
    const { consumer, forwarded } = await run(apiKey, {}, request("/"), { consumers });
    assert.equal(consumer, undefined);
    assert.ok(forwarded);
  });

  it("takes another header, or a query parameter where that is wanted", async () => {
    assert.equal((await run(apiKey, { header: "X-Key" }, sent(KEY, "x-key"), { consumers })).consumer?.id, "alice");
    const asked = request(`/x?key=${KEY}`);
    assert.equal((await run(apiKey, {}, asked, { consumers })).consumer, undefined);
    assert.equal((await run(apiKey, { query_param: "key" }, asked, { consumers })).consumer?.id, "alice");
  });

  it("keeps the key from the upstream wherever it stood, unless the upstream wants it", async () => {
    const asked = request(`/x?a=1&key=${KEY}&b=2&%6bey=${KEY}`, { headers: { "X-API-Key": KEY } });
    const hidden = await run(apiKey, { query_param: "key" }, asked, { consumers });
    assert.deepEqual([hidden.forwarded?.target, hidden.forwarded?.headers], ["/x?a=1&b=2", {}]);
    const shown = await run(apiKey, { query_param: "key", hide_credentials: false }, asked, { consumers });
    assert.equal(shown.forwarded?.target, `/x?a=1&key=${KEY}&b=2&%6bey=${KEY}`);
    assert.equal(shown.forwarded?.headers["x-api-key"], KEY);
  });

  it("refuses a configuration with the key itself in it", async () => {
    const surroundings = { consumers: { alice: { keys: [{ hash: KEY }] } } };
    await assert.rejects(run(apiKey, {}, sent(KEY), surroundings), /must be sha256: and 64 hexadecimal digits/);
    await assert.rejects(run(apiKey, {}, sent(KEY), { consumers: { a: { keys: [] } } }), /keys/);
  });
});
