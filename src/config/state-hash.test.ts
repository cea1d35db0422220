import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { difference } from "./difference.ts";
import { resourceKey } from "./resource.ts";
import { adjustStateHash, formatHash, resourceHash, stateHash, xxhash64 } from "./state-hash.ts";
import { anyResources, anyState } from "./testing/any-resources.ts";

describe("xxhash64", () => {
  const text = (value: string) => new TextEncoder().encode(value);

  it("gives the values that other implementations give for seed 0", () => {
    assert.equal(formatHash(xxhash64(text(""))), "ef46db3751d8e999");
    assert.equal(formatHash(xxhash64(text("a"))), "d24ec4f1a98c6e5b");
    assert.equal(formatHash(xxhash64(text("The string that is being hashed"))), "502b0c5fc4a5704c");
  });

  it("is printed with all 16 digits", () => assert.equal(formatHash(255n), "00000000000000ff"));
});

describe("stateHash", () => {
  const route = { kind: "route", id: "a", spec: { path: "/", backends: [{ url: "http://b" }] } } as const;

  it("is 0 for nothing and the resource's hash for one", () => {
    assert.equal(stateHash([]), 0n);
    assert.equal(stateHash([route]), resourceHash(route));
  });

  it("does not depend on the order of keys", () => {
    const { path, backends } = route.spec;
    assert.equal(resourceHash({ ...route, spec: { backends, path } }), resourceHash(route));
  });

  it("tells kind, id and spec apart wherever the border between them is", () => {
    const hashes = [
      route,
      { ...route, kind: "upstream" as const },
      { ...route, id: "b" },
      { ...route, spec: { path: "/" } },
      { ...route, id: 'a",{}' },
    ].map(resourceHash);
    assert.equal(new Set(hashes).size, hashes.length);
  });

  it("does not depend on the order of resources", () => {
    fc.assert(
      fc.property(
        anyState.chain((state) =>
          fc.tuple(fc.constant(state), fc.shuffledSubarray(state, { minLength: state.length })),
        ),
        ([state, shuffled]) => assert.equal(stateHash(shuffled), stateHash(state)),
      ),
    );
  });

  it("follows a change by what it takes away and adds", () => {
    fc.assert(
      fc.property(anyState, anyState, (before, after) => {
        const changed = new Map(difference(before, after).map((change) => [resourceKey(change), change.action]));
        const left = before.filter((resource) =>
          ["changed", "removed"].includes(changed.get(resourceKey(resource)) ?? ""),
        );
        const entered = after.filter((resource) =>
          ["changed", "added"].includes(changed.get(resourceKey(resource)) ?? ""),
        );
        const hash = adjustStateHash(stateHash(before), left.map(resourceHash), entered.map(resourceHash));
        assert.equal(hash, stateHash(after));
      }),
    );
  });

  it("differs between states that differ", () => {
    fc.assert(
      fc.property(anyResources, anyResources, (before, after) => {
        assert.equal(difference(before, after).length === 0, stateHash(before) === stateHash(after));
      }),
    );
  });
});
