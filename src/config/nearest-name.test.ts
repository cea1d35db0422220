import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nearestName, unknownKey } from "./nearest-name.ts";

describe("nearestName", () => {
  const keys = ["path", "path_prefix", "methods", "backends", "upstream"];

  it("finds what was meant by a slip of the fingers", () => {
    assert.equal(nearestName("backend", keys), "backends");
    assert.equal(nearestName("mehtods", keys), "methods");
    assert.equal(nearestName("Path_Prefix", keys), "path_prefix");
    assert.equal(nearestName("pathPrefix", keys), "path_prefix");
  });

  it("keeps silent when nothing is near", () => {
    assert.equal(nearestName("rate_limit", keys), undefined);
    assert.equal(nearestName("x", keys), undefined);
    assert.equal(nearestName("backend", []), undefined);
  });

  it("words the sentence about an unknown key", () => {
    assert.equal(unknownKey("backend", keys), "unknown key `backend`; did you mean `backends`?");
    assert.equal(unknownKey("rate_limit", keys), "unknown key `rate_limit`");
  });
});
