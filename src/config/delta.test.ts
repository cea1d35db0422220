import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { applyDelta, deltaBetween, effectiveDelta } from "./delta.ts";
import type { Resource } from "./resource.ts";
import { anyResources, anyState } from "./testing/any-resources.ts";

describe("a delta", () => {
  const route = (id: string, path = "/"): Resource => ({ kind: "route", id, spec: { path } });

  it("leads from the state before to the state after", () => {
    fc.assert(
      fc.property(anyState, anyState, (before, after) =>
        assert.deepEqual(applyDelta(before, deltaBetween(before, after)), after),
      ),
    );
  });

  it("is reduced to what it changes, in whatever order and however often it names things", () => {
    fc.assert(
      fc.property(anyState, anyResources, anyResources, (before, upserts, removed) => {
        const named = new Set(upserts.map(({ kind, id }) => `${kind}:${id}`));
        const removals = removed.filter(({ kind, id }) => !named.has(`${kind}:${id}`));
        const after = applyDelta(before, { upserts, removals });
        assert.deepEqual(effectiveDelta(before, { upserts, removals }), deltaBetween(before, after));
      }),
    );
  });

  it("has what it replaces at hand", () => {
    const { replaced, changes } = deltaBetween([route("a"), route("b")], [route("a", "/new"), route("c")]);
    assert.deepEqual(replaced, [route("a"), route("b")]);
    assert.deepEqual(
      changes.map(({ id, action }) => `${id} ${action}`),
      ["a changed", "b removed", "c added"],
    );
  });
});
