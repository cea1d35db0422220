import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run } from "../../sdk/testing.ts";
import { allowedHosts } from "./plugin.ts";

const config = { hosts: ["API.example.com", "*.shop.example"] };
const statusFor = async (host: string) => (await run(allowedHosts, config, request("/", { host }))).status;

describe("allowed_hosts", () => {
  it("answers for its hosts, whatever the port and the case", async () => {
    for (const host of ["api.example.com", "API.EXAMPLE.COM:8443", "api.example.com.", "a.b.shop.example"])
      assert.equal(await statusFor(host), 200, host);
  });

  it("refuses others as misdirected", async () => {
    for (const host of ["", "example.com", "shop.example", "evilshop.example", "api.example.com.evil"])
      assert.equal(await statusFor(host), 421, host);
  });

  it("refuses a configuration without hosts, or with a port", async () => {
    await assert.rejects(run(allowedHosts, { hosts: [] }), /hosts/);
    await assert.rejects(run(allowedHosts, { hosts: ["a.example:80"] }), /without a port/);
  });
});
