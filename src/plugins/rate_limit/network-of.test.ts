import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { networkOf } from "./network-of.ts";

describe("the network of an address", () => {
  it("is the address itself for IPv4", () => {
    assert.equal(networkOf("192.0.2.1", 64), "192.0.2.1");
  });

  it("is the beginning of it for IPv6, however it is written", () => {
    const cases: [string, number, string][] = [
      ["2001:db8::1", 64, "2001:db8:0:0:0:0:0:0/64"],
      ["2001:DB8:0:0:ffff::9", 64, "2001:db8:0:0:0:0:0:0/64"],
      ["2001:db8:0:1::", 64, "2001:db8:0:1:0:0:0:0/64"],
      ["2001:db8:12ff::", 40, "2001:db8:1200:0:0:0:0:0/40"],
      ["2001:db8:ffff::", 33, "2001:db8:8000:0:0:0:0:0/33"],
      ["fe80::1%eth0", 128, "fe80:0:0:0:0:0:0:1/128"],
      ["::ffff:192.0.2.1", 128, "0:0:0:0:0:ffff:c000:201/128"],
      ["::", 1, "0:0:0:0:0:0:0:0/1"],
    ];
    for (const [address, bits, network] of cases) assert.equal(networkOf(address, bits), network, address);
  });
});
