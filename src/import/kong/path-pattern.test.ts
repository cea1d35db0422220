import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readKongPath } from "./path-pattern.ts";

function written(path: string): string {
  const read = readKongPath(path);
  if (!read.ok) return "refused";
  const { segments, prefix } = read.pattern;
  return `/${segments.join("/")}${prefix ? " and below" : ""}${read.differences.length > 0 ? ", differs" : ""}`;
}

describe("a path of Kong", () => {
  it("that is plain is a prefix of whole segments", () => {
    assert.equal(written("/"), "/ and below");
    assert.equal(written("/orders/v1"), "/orders/v1 and below, differs");
    assert.equal(written("/orders/"), "/orders and below, differs");
    assert.equal(written("orders"), "refused");
  });

  it("that is a regular expression of whole segments is a path with parameters", () => {
    const table = {
      "~/users/[^/]+$": "/users/{part2}",
      "~/users/(?<id>\\d+)$": "/users/{id}, differs",
      "~/users/(?<id>[^/]+)/posts/(?:[a-z0-9-]+)$": "/users/{id}/posts/{part4}, differs",
      "~/users/[^/]+": "/users/{part2} and below, differs",
      "~/files/.*": "/files and below",
      "~^/files(/.*)?$": "/files and below",
      "~/v1\\.0/status$": "/v1.0/status",
      "~/status/?$": "/status, differs",
    };
    for (const [path, expected] of Object.entries(table)) assert.equal(written(path), expected, path);
  });

  it("that is any other regular expression is refused, not bent", () => {
    for (const path of ["~/a|b$", "~/v1.0/status$", "~/img/\\w+\\.png$", "~/(a/b)+$", "~/a/(?!b).*x$", "~/a/$", "~(/a"])
      assert.equal(written(path), "refused", path);
  });
});
