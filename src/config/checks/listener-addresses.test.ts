import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onlyProblemOf } from "../testing/problems-of.ts";
import { addressesConflict } from "./listener-addresses.ts";

describe("addressesConflict", () => {
  it("is so for one port of one interface, however it is written", () => {
    for (const [a, b] of [
      [":8080", ":8080"],
      [":8080", "127.0.0.1:8080"],
      ["[::1]:8080", ":8080"],
      ["0.0.0.0:8080", "127.0.0.1:8080"],
      ["[::]:8080", "10.0.0.1:8080"],
      ["localhost:8080", "127.0.0.1:8080"],
      ["[::1]:8080", "[0:0:0:0:0:0:0:1]:8080"],
      ["Host.example:8080", "host.example:8080"],
    ] as const) {
      assert.ok(addressesConflict(a, b), `${a} ${b}`);
      assert.ok(addressesConflict(b, a), `${b} ${a}`);
    }
  });

  it("is not so for other ports, other interfaces, and port 0", () => {
    for (const [a, b] of [
      [":8080", ":8081"],
      ["127.0.0.1:8080", "127.0.0.2:8080"],
      ["0.0.0.0:8080", "[::1]:8080"],
      [":0", ":0"],
      ["127.0.0.1:0", ":0"],
    ] as const) {
      assert.ok(!addressesConflict(a, b), `${a} ${b}`);
      assert.ok(!addressesConflict(b, a), `${b} ${a}`);
    }
  });
});

describe("listeners", () => {
  it("that want one port are told, and which", () => {
    assert.equal(
      onlyProblemOf("listeners: [{id: a, address: ':8080'}, {id: b, address: '127.0.0.1:8080'}]"),
      'listeners[1].address: 127.0.0.1:8080 is taken with :8080 by the listener "a"',
    );
  });
});
