import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hideParameters, withoutParameter } from "./query.ts";

describe("a parameter of a query", () => {
  it("is taken away, however it is spelled, and the others stay as they are", () => {
    assert.equal(withoutParameter("?a=1&key=s&b=%2f+x&key=t", "key"), "?a=1&b=%2f+x");
    assert.equal(withoutParameter("?%6bey=s&k%65y", "key"), "");
    assert.equal(withoutParameter("?key=s", "key"), "");
    assert.equal(withoutParameter("?my+key=s&a&&b=", "my key"), "?a&&b=");
    assert.equal(withoutParameter("?KEY=1&keys=2", "key"), "?KEY=1&keys=2");
    assert.equal(withoutParameter("?%zz=1&key=s", "key"), "?%zz=1");
  });

  it("is hidden, however it is spelled", () => {
    assert.equal(
      hideParameters("?a=1&%6bey=secret=2&key&b=c", new Set(["key", "x"])),
      "?a=1&%6bey=(redacted)&key=(redacted)&b=c",
    );
    assert.equal(hideParameters("", new Set(["key"])), "");
    assert.equal(hideParameters("?", new Set(["key"])), "?");
  });
});
