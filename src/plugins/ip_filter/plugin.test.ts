import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run, TestPlugin } from "../../sdk/testing.ts";
import { ipFilter } from "./plugin.ts";

async function mayCome(config: object, client: string): Promise<boolean> {
  const { status, failure } = await run(ipFilter, config, request("/", { client }));
  assert.ok(status === 200 || failure === "accessDenied");
  return status === 200;
}

describe("ip_filter", () => {
  it("lets in who is allowed, and all but who is denied where nobody is", async () => {
    const allow = { allow: ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"] };
    assert.deepEqual(
      await Promise.all(["10.1.2.3", "2001:db8::1", "192.0.2.7", "192.0.2.8", "::1"].map((ip) => mayCome(allow, ip))),
      [true, true, true, false, false],
    );
    assert.equal(await mayCome({ deny: ["10.0.0.0/8"] }, "10.1.2.3"), false);
    assert.equal(await mayCome({ deny: ["10.0.0.0/8"] }, "11.1.2.3"), true);
  });

  it("goes by the order for who is in both lists", async () => {
    const both = { allow: ["10.0.0.0/8"], deny: ["10.1.0.0/16"] };
    assert.equal(await mayCome(both, "10.1.2.3"), false);
    assert.equal(await mayCome({ ...both, order: "allow_first" }, "10.1.2.3"), true);
    assert.equal(await mayCome({ ...both, order: "allow_first" }, "11.0.0.1"), false);
  });

  it("counts whom it refuses", async () => {
    const filter = new TestPlugin(ipFilter, { deny: ["192.0.2.1"] });
    await filter.run();
    await filter.run(request("/", { client: "192.0.2.2" }));
    assert.deepEqual(filter.events, { refused: 1 });
  });

  it("refuses a configuration with nobody in it, and what is no address", async () => {
    await assert.rejects(run(ipFilter, {}), /needs addresses in allow or deny/);
    await assert.rejects(run(ipFilter, { allow: ["10.0.0.0/33"] }), /must be an address or a network/);
  });
});
