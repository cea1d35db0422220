import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FailureLedger, KILL_GRACE_MS, TARGET_GRACE_MS } from "./failure-ledger.ts";

describe("a failure in a soak", () => {
  const ledger = () => {
    const made = new FailureLedger("/flaky");
    made.killed(1_000);
    made.targetFailed(10_000);
    made.targetIsBack(13_000);
    return made;
  };
  const counts = ({ inKilledWorkers, ofTargetsDown, unexpected }: FailureLedger) => [
    inKilledWorkers,
    ofTargetsDown,
    unexpected,
  ];
  const judge = (atMs: number, path: string, what: string) => {
    const made = ledger();
    made.add({ atMs, path, what });
    return counts(made);
  };

  it("is expected where a worker was just killed and the connection ended without an answer", () => {
    assert.deepEqual(judge(1_000, "/steady", "closed"), [1, 0, 0]);
    assert.deepEqual(judge(1_000 + KILL_GRACE_MS, "/flaky", "closed"), [1, 0, 0]);
    assert.deepEqual(judge(999, "/steady", "closed"), [0, 0, 1]);
    assert.deepEqual(judge(1_001 + KILL_GRACE_MS, "/steady", "closed"), [0, 0, 1]);
    assert.deepEqual(judge(1_000, "/steady", "status 502"), [0, 0, 1]);
  });

  it("is expected on the route of a target that is down, as 502, 503 or a cut answer", () => {
    for (const what of ["status 502", "status 503", "closed"])
      assert.deepEqual(judge(11_000, "/flaky", what), [0, 1, 0]);
    assert.deepEqual(judge(11_000, "/flaky", "status 500"), [0, 0, 1]);
    assert.deepEqual(judge(11_000, "/steady", "status 502"), [0, 0, 1]);
    assert.deepEqual(judge(9_999, "/flaky", "status 502"), [0, 0, 1]);
    assert.deepEqual(judge(13_001 + TARGET_GRACE_MS, "/flaky", "status 502"), [0, 0, 1]);
  });

  it("is kept as it was when nothing excuses it, the first of them", () => {
    const made = ledger();
    for (let count = 0; count < 100; count++) made.add({ atMs: count, path: "/steady", what: "status 404" });
    assert.equal(made.unexpected, 100);
    assert.equal(made.kept.length, 50);
    assert.deepEqual(made.kept[0], { atMs: 0, path: "/steady", what: "status 404" });
  });
});
