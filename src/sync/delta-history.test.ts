import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { applyDelta, type Delta, deltaBetween } from "../config/delta.ts";
import { createSnapshot, type Snapshot } from "../config/snapshot.ts";
import { DeltaHistory } from "./delta-history.ts";
import type { Stamp } from "./messages.ts";

const NOTHING: Delta = { upserts: [], removals: [] };

function stampOf({ epoch, version, hash }: Stamp): Stamp {
  return { epoch, version, hash };
}

/** A row of states, each of routes with short names, so that they come, change and go. */
const states: fc.Arbitrary<Snapshot[]> = fc
  .array(fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.nat({ max: 2 })), { minLength: 2, maxLength: 8 })
  .map((rows) =>
    rows.map((row, version) => {
      const resources = Object.entries(row).map(([id, round]) => ({ kind: "route", id, spec: { path: `/${round}` } }));
      return createSnapshot({ epoch: "e", version, resources });
    }),
  );

function historyOf(snapshots: readonly Snapshot[]): DeltaHistory {
  const history = new DeltaHistory();
  for (const [index, target] of snapshots.entries()) {
    const base = snapshots[index - 1];
    if (base !== undefined)
      history.record({
        base: stampOf(base),
        target: stampOf(target),
        delta: deltaBetween(base.resources, target.resources),
      });
  }
  return history;
}

describe("the history of changes", () => {
  it("knows what leads from any state to any later one", () => {
    fc.assert(
      fc.property(states, fc.nat(), fc.nat(), (snapshots, one, other) => {
        const [from, to] = [one % snapshots.length, other % snapshots.length].sort((a, b) => a - b) as [number, number];
        fc.pre(from < to);
        const delta = historyOf(snapshots).between(stampOf(snapshots[from]!), stampOf(snapshots[to]!));
        assert.deepEqual(applyDelta(snapshots[from]!.resources, delta!), snapshots[to]!.resources);
      }),
    );
  });

  it("knows nothing of states that it has not seen, nor of the way back", () => {
    const [first, second] = [1, 2].map((version) => ({ epoch: "e", version, hash: BigInt(version) })) as [Stamp, Stamp];
    const history = new DeltaHistory();
    history.record({ base: first, target: second, delta: NOTHING });
    assert.equal(history.between(second, first), undefined);
    assert.equal(history.between({ ...first, hash: 9n }, second), undefined);
    assert.equal(history.between({ ...first, epoch: "f" }, second), undefined);
    assert.deepEqual(history.between(first, second), NOTHING);
  });

  it("begins anew where a step does not build on the last one, and forgets what is long ago", () => {
    const stamp = (version: number): Stamp => ({ epoch: "e", version, hash: BigInt(version) });
    const history = new DeltaHistory();
    for (let version = 1; version <= 600; version++)
      history.record({ base: stamp(version), target: stamp(version + 1), delta: NOTHING });
    assert.equal(history.between(stamp(1), stamp(601)), undefined);
    assert.deepEqual(history.between(stamp(500), stamp(601)), NOTHING);
    history.record({ base: stamp(700), target: stamp(701), delta: NOTHING });
    assert.equal(history.between(stamp(500), stamp(601)), undefined);
  });
});
