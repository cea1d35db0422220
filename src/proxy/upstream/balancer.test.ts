import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { systemClock } from "../../core/clock.ts";
import { OctetBuffers } from "../../http/octet-buffers.ts";
import { Sweep } from "../../http/sweep.ts";
import { SharedState, WorkerCells } from "../counters/shared-state.ts";
import { Balancer } from "./balancer.ts";
import { UpstreamPool } from "./upstream-pool.ts";

const cells = new WorkerCells(new SharedState(1).rows[0]!);
const environment = { sweep: new Sweep(systemClock, 50), buffers: new OctetBuffers(), cells };
const limits = { maxIdle: 1, maxConnections: 1, idleTimeoutMs: 1, dialTimeoutMs: 1, handshakeTimeoutMs: 1 };

function balancerOf(weights: readonly number[]): Balancer {
  return new Balancer(
    weights.map((weight, index) => ({
      weight,
      basePath: String(index),
      pool: new UpstreamPool("http://a", limits, environment),
    })),
  );
}

describe("weighted round robin", () => {
  it("gives every target exactly its share in each round, whatever the weights", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }), (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const balancer = balancerOf(weights);
        for (let round = 0; round < 2; round++) {
          const turns = weights.map(() => 0);
          for (let turn = 0; turn < total; turn++) turns[Number(balancer.next()?.basePath)]!++;
          assert.deepEqual(turns, weights);
        }
      }),
    );
  });

  it("spreads the turns of a heavy target among the others'", () => {
    const balancer = balancerOf([5, 1, 1]);
    const order = Array.from({ length: 7 }, () => balancer.next()?.basePath).join("");
    assert.equal(order, "0010200");
  });

  it("has nothing to give when there is no weight", () => {
    assert.equal(balancerOf([0, 0]).next(), undefined);
    assert.equal(balancerOf([]).next(), undefined);
  });
});
