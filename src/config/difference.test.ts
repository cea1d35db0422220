import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { describeChange, difference } from "./difference.ts";
import { inCanonicalOrder, type Resource, resourceKey } from "./resource.ts";
import { anyResources } from "./testing/any-resources.ts";

describe("difference", () => {
  const route = (id: string, path: string): Resource => ({ kind: "route", id, spec: { path } });

  it("lists what was added, changed and removed, in canonical order", () => {
    const before = [route("b", "/b"), route("c", "/c"), route("a", "/a")];
    const after = [route("d", "/d"), route("c", "/c"), route("b", "/B")];
    assert.deepEqual(difference(before, after).map(describeChange), [
      "route:a removed",
      "route:b changed",
      "route:d added",
    ]);
  });

  it("finds nothing between equal contents, whatever their order and the order of keys", () => {
    const one: Resource = { kind: "route", id: "a", spec: { path: "/", methods: ["GET"] } };
    const other: Resource = { kind: "route", id: "a", spec: { methods: ["GET"], path: "/" } };
    assert.deepEqual(difference([one, route("b", "/b")], [route("b", "/b"), other]), []);
  });

  it("says exactly what turns one state into the other", () => {
    fc.assert(
      fc.property(anyResources, anyResources, (before, after) => {
        const state = new Map(before.map((resource) => [resourceKey(resource), resource]));
        const target = new Map(after.map((resource) => [resourceKey(resource), resource]));
        for (const change of difference(before, after)) {
          const key = resourceKey(change);
          assert.equal(state.has(key), change.action !== "added");
          if (change.action === "removed") state.delete(key);
          else state.set(key, target.get(key)!);
        }
        assert.deepEqual(inCanonicalOrder(state.values()), inCanonicalOrder(after));
      }),
    );
  });
});
