import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestIds } from "./request-ids.ts";

describe("the ids of requests", () => {
  it("are UUIDs of version 4, and none comes twice", () => {
    const ids = new RequestIds();
    const made = Array.from({ length: 10_000 }, () => ids.make());
    for (const id of made) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(new Set(made).size, made.length);
    for (const digit of "0123456789abcdef") assert.ok(made.some((id) => id.endsWith(digit)));
  });

  it("are those that clients give, unless they could not stand in a log as they are", () => {
    const ids = new RequestIds();
    assert.equal(ids.of("trace:1/2+3=4@home"), "trace:1/2+3=4@home");
    for (const given of [undefined, "", "a b", 'a"', "a\\", "x".repeat(129), "\xe9"])
      assert.match(ids.of(given), /^[0-9a-f-]{36}$/);
  });
});
