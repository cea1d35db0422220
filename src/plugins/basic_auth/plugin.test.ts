import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run, TestPlugin } from "../../sdk/testing.ts";
import { hashPassword } from "./password-hash.ts";
import { basicAuth } from "./plugin.ts";

const PASSWORD = "corréct horse:battery";
const consumers = { alice: { username: "al", password_hash: await hashPassword(PASSWORD) } };
const sent = (text: string) => request("/", { headers: { Authorization: text } });
const login = (user: string, password: string) =>
  sent(`Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`);

describe("basic_auth", () => {
  it("knows a consumer by name and password, and keeps both from the upstream", async () => {
    const plugin = new TestPlugin(basicAuth, {}, { consumers });
    for (let n = 0; n < 2; n++) {
      const { consumer, forwarded } = await plugin.run(login("al", PASSWORD));
      assert.equal(consumer?.id, "alice");
      assert.equal(forwarded?.headers.authorization, undefined);
    }
    assert.deepEqual(plugin.events, { accepted: 2 });
  });

  it("lets the upstream have both where that is wanted", async () => {
    const { consumer, forwarded } = await run(basicAuth, { hide_credentials: false }, login("al", PASSWORD), {
      consumers,
    });
    assert.equal(consumer?.id, "alice");
    assert.match(forwarded?.headers.authorization ?? "", /^Basic /);
  });

  it("refuses what is wrong in any way, asks again, and repeats nothing of it", async () => {
    const plugin = new TestPlugin(basicAuth, { realm: "Shop" }, { consumers });
    for (const wrong of [
      login("al", "wrong"),
      login("al", ""),
      login("bob", PASSWORD),
      login("alice", PASSWORD),
      sent("Basic ???"),
      sent("Basic bm9jb2xvbg=="),
      sent(`basic ${"A".repeat(10_000)}`),
    ]) {
      const refused = await plugin.run(wrong);
      assert.equal(refused.failure, "consumerUnknown");
      assert.equal(refused.headers["www-authenticate"], 'Basic realm="Shop", charset="UTF-8"');
      assert.ok(!JSON.stringify(refused).includes("horse"));
    }
  });

  it("leaves requests without a password, or with something else, to others", async () => {
    assert.ok((await run(basicAuth, {}, request("/"), { consumers })).forwarded);
    assert.ok((await run(basicAuth, {}, sent("Bearer x"), { consumers })).forwarded);
  });

  it("checks only so many passwords at a time", async () => {
    const plugin = new TestPlugin(basicAuth, {}, { consumers });
    const failures = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => (await plugin.run(login("al", `wrong ${n}`))).failure),
    );
    assert.equal(failures.filter((failure) => failure === "overloaded").length, 4);
    assert.equal(failures.filter((failure) => failure === "consumerUnknown").length, 16);
    assert.equal((await plugin.run(login("al", PASSWORD))).consumer?.id, "alice");
  });

  it("refuses a configuration with the password itself in it", async () => {
    const plain = { consumers: { alice: { username: "al", password_hash: PASSWORD } } };
    await assert.rejects(run(basicAuth, {}, request("/"), plain), /must be a scrypt hash/);
    await assert.rejects(run(basicAuth, { realm: 'a"b' }), /must be plain text without quotes/);
  });
});
