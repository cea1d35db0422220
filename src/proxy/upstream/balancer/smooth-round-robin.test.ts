import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { lineupOf, REQUEST, turns } from "../testing/lineup-of.ts";
import type { Balancer } from "./balancer.ts";
import { SmoothRoundRobin } from "./smooth-round-robin.ts";

const balancer: Balancer = new SmoothRoundRobin();
const next = (lineup: ReturnType<typeof lineupOf>) => balancer.next(lineup, REQUEST, "");
const anyWeights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });

describe("weighted round robin", () => {
  it("gives every target exactly its share in each round, whatever the weights", () => {
    fc.assert(
      fc.property(anyWeights, (weights) => {
        const lineup = lineupOf(weights);
        for (let round = 0; round < 2; round++) assert.deepEqual(turns(lineup, lineup.totalWeight, next), weights);
      }),
    );
  });

  it("spreads the turns of a heavy target among the others'", () => {
    const lineup = lineupOf([5, 1, 1]);
    const order = Array.from({ length: 7 }, () => next(lineup)?.basePath).join("");
    assert.equal(order, "0010200");
  });

  it("shares out among the others what a target that is passed over would get", () => {
    fc.assert(
      fc.property(anyWeights, fc.nat(), (weights, at) => {
        const lineup = lineupOf(weights);
        const out = at % weights.length;
        lineup.members[out]!.isPassedOver = true;
        const wanted = weights.map((weight, index) => (index === out ? 0 : weight));
        const rest = wanted.reduce((sum, weight) => sum + weight, 0);
        assert.deepEqual(turns(lineup, rest, next), wanted);
      }),
    );
  });

  it("has nothing to give when there is nobody", () => {
    assert.equal(next(lineupOf([])), undefined);
  });
});
