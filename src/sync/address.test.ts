import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress } from "./address.ts";

for (const [text, host, port] of [
  [":9443", "", 9443],
  ["cp.example.com:9443", "cp.example.com", 9443],
  ["127.0.0.1:0", "127.0.0.1", 0],
  ["[::1]:9443", "::1", 9443],
] as const)
  test(`${text} is an address`, () => {
    assert.deepEqual(parseAddress(text), { host, port });
    assert.equal(formatAddress({ host, port }), text);
  });

for (const text of ["", "cp", "cp:", ":65536", "::1:9443", "https://cp:9443", "cp:9443/"])
  test(`${JSON.stringify(text)} is none`, () => {
    assert.throws(() => parseAddress(text), /write host:port/);
  });
