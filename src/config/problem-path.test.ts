import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatPath, joinPath, parentPath } from "./problem-path.ts";

describe("paths of problems", () => {
  it("read like the document, with keys quoted that are not plain words", () => {
    assert.equal(formatPath(["routes", 2, "backends", 0, "url"]), "routes[2].backends[0].url");
    assert.equal(formatPath(["upstreams", "api.v2", "backends"]), 'upstreams["api.v2"].backends');
    assert.equal(formatPath([]), "");
  });

  it("are joined without a dot before a bracket", () => {
    assert.equal(joinPath("routes[2]", "methods[0]"), "routes[2].methods[0]");
    assert.equal(joinPath("upstreams", '["a.b"]'), 'upstreams["a.b"]');
    assert.equal(joinPath("", "path"), "path");
    assert.equal(joinPath("routes[2]", ""), "routes[2]");
  });

  it("lead up to the document step by step, whatever the keys are", () => {
    const steps = fc.array(fc.oneof(fc.string(), fc.nat({ max: 20 })), { maxLength: 6 });
    fc.assert(
      fc.property(steps, (all) => {
        let path: string | undefined = formatPath(all);
        for (let length = all.length - 1; length >= 0; length--) {
          path = parentPath(path!);
          assert.equal(path, formatPath(all.slice(0, length)));
        }
        assert.equal(parentPath(path!), undefined);
      }),
    );
  });
});
