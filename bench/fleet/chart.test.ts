import assert from "node:assert/strict";
import { test } from "node:test";
import { type FleetResult, renderFleetChart } from "./chart.ts";

const ADMIN = { answers: 1, medianMs: 1, p99Ms: 90, slowestMs: 100 };
const STORM = {
  ...{ halfInSyncMs: 1_000, allInSyncMs: 3_000, configurationMessages: 0, bytesPerNode: 7_000 },
  ...{ admin: ADMIN, nodesCpuMs: 1, controlPlaneCpuMs: 1 },
};

function result(nodes: number, ackMedianMs: number): FleetResult {
  const setting = {
    ...{ nodes, routes: 5_000, pushes: 1, controlPlanes: 1, processes: 1 },
    ...({ transport: "mixed", network: undefined } as const),
  };
  const cost = { joinMs: 1, idleBytes: 1, bytesPerNode: 120_000, cpuMsPerPushAlone: 1, cpuMsPerPush: 1 };
  const fleet = {
    ...{ setting, ...cost, cpuMicrosPerNodePerPush: 70, pushes: [], cut: STORM },
    restart: { ...STORM, startToReadyMs: 2_000, bytesPerNodeOfMemory: 1 },
    medians: { ackMedianMs, ackP99Ms: 100, bytesPerNode: 400 },
  };
  return { date: "2026-05-01T10:20:30.400Z", commit: "0123456789abcdef", machine: { cpu: "one" }, fleets: [fleet] };
}

test("each measure is written beside its limit, and one that is beyond it is drawn as such", () => {
  const svg = renderFleetChart([result(1_000, 61)]);
  assert.match(svg, />61 ms of 60</);
  assert.match(svg, />5\.0 s of 20</);
  assert.equal(svg.match(/class="beyond"/g)?.length, 1);
});

test("of two results of one setting the later is drawn, and other settings beside it", () => {
  const svg = renderFleetChart([result(1_000, 55), result(1_000, 33), result(5_000, 44)]);
  assert.doesNotMatch(svg, />55 ms/);
  assert.match(svg, />33 ms of 60</);
  assert.match(svg, />5,000 nodes, 5,000 routes, mixed</);
});

test("what was not measured has no bar", () => {
  assert.doesNotMatch(renderFleetChart([result(1_000, 55)]), /one of several dies/);
});
