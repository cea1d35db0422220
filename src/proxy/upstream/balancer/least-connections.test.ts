import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { chiSquared, lineupOf, REQUEST, seeded, turns } from "../testing/lineup-of.ts";
import type { Balancer } from "./balancer.ts";
import { LeastConnections } from "./least-connections.ts";

const next = (balancer: Balancer, lineup: ReturnType<typeof lineupOf>) => balancer.next(lineup, REQUEST, "");

describe("least connections", () => {
  it("gives a request to a target that has fewest for its weight", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat({ max: 50 })), { minLength: 1, maxLength: 8 }),
        fc.integer(),
        (targets, seed) => {
          const lineup = lineupOf(targets.map(([weight]) => weight));
          const loads = targets.map(([weight, inFlight]) => (inFlight + 1) / weight);
          for (const [index, member] of lineup.members.entries()) member.target.load.inFlight = targets[index]![1];
          const chosen = next(new LeastConnections(seeded(seed)), lineup);
          assert.equal(loads[Number(chosen?.basePath)], Math.min(...loads));
        },
      ),
    );
  });

  it("keeps requests that do not end in the proportion of the weights: one more here is never fewer than there", () => {
    const weights = [1, 2, 5];
    const lineup = lineupOf(weights);
    const balancer = new LeastConnections(seeded(1));
    for (let sent = 1; sent <= 400; sent++) {
      next(balancer, lineup)!.load.inFlight++;
      const has = lineup.members.map(({ target, weight }) => target.load.inFlight / weight);
      const wouldHave = lineup.members.map(({ target, weight }) => (target.load.inFlight + 1) / weight);
      assert.ok(Math.max(...has) <= Math.min(...wouldHave));
    }
    assert.deepEqual(
      lineup.members.map(({ target }) => target.load.inFlight),
      [50, 100, 250],
    );
  });

  it("prefers none of those that are equal", () => {
    const equal = [1, 1, 1, 1, 1];
    const balancer = new LeastConnections(seeded(7));
    const counts = turns(lineupOf(equal), 20_000, (lineup) => next(balancer, lineup));
    const { is, bound } = chiSquared(counts, equal);
    assert.ok(is < bound, `${counts}`);
  });

  it("passes over whom it has to", () => {
    const lineup = lineupOf([1, 100]);
    lineup.members[1]!.isPassedOver = true;
    const balancer = new LeastConnections(seeded(3));
    assert.deepEqual(
      turns(lineup, 100, () => next(balancer, lineup)),
      [100, 0],
    );
    lineup.members[0]!.isPassedOver = true;
    assert.equal(next(balancer, lineup), undefined);
  });
});
