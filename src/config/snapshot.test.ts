import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Resource } from "./resource.ts";
import { createSnapshot } from "./snapshot.ts";
import { stateHash } from "./state-hash.ts";

describe("createSnapshot", () => {
  const resources: Resource[] = [
    { kind: "upstream", id: "u", spec: { backends: [{ url: "http://b" }] } },
    { kind: "route", id: "r", spec: { path: "/", upstream: "u" } },
    { kind: "listener", id: "l", spec: { address: ":0" } },
  ];
  const snapshot = createSnapshot({ epoch: "e", version: 3, resources });

  it("puts resources into canonical order and computes their hash", () => {
    assert.deepEqual(
      snapshot.resources.map(({ id }) => id),
      ["l", "r", "u"],
    );
    assert.equal(snapshot.hash, stateHash(resources));
    assert.deepEqual([snapshot.epoch, snapshot.version], ["e", 3]);
  });

  it("cannot be changed at any depth", () => {
    const spec = snapshot.resources[2]!.spec as { backends: { url: string }[] };
    assert.throws(() => Object.assign(snapshot, { version: 4 }), TypeError);
    assert.throws(() => Object.assign(snapshot.resources[0]!, { id: "other" }), TypeError);
    assert.throws(() => Object.assign(spec.backends[0]!, { url: "http://c" }), TypeError);
  });
});
