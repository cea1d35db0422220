import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, summarizeLane } from "./comparison.ts";
import type { Figures } from "./figures.ts";
import { costOf, type Run } from "./run.ts";

function run(lane: string, round: number, figures: Figures, failures: Record<string, number> = {}): Run {
  return { lane, round, requests: 1_000, figures, failures, memory: [] };
}

const a = { name: "a", baseline: "b" };
const rate = (requestsPerCpuSecond: number): Figures => ({ requestsPerCpuSecond });

test("CPU is what was used between the two readings", () => {
  const cost = costOf({ requests: 1_000 }, 100, { cpuMs: 500, rssBytes: 1 }, { cpuMs: 550, rssBytes: 2 });
  assert.deepEqual(cost, { cpuMicrosPerRequest: 50, requestsPerCpuSecond: 20_000, cpuShare: 0.5 });
});

test("where requests have bodies, their megabytes for each CPU-second are told too", () => {
  const idle = { cpuMs: 0, rssBytes: 1 };
  const cost = costOf({ requests: 1_000, bodyBytes: 1_000_000 }, 1_000, idle, { cpuMs: 500, rssBytes: 1 });
  assert.equal(cost.megabytesPerCpuSecond, 2_000);
});

test("no CPU time that could be measured gives no rate instead of an endless one", () => {
  const idle = { cpuMs: 10, rssBytes: 1 };
  assert.deepEqual(costOf({ requests: 1 }, 100, idle, idle), { cpuShare: 0 });
});

test("the ratio is taken round by round, so a slow spell of the machine does not show in it", () => {
  const slow = [run("a", 2, rate(8)), run("b", 2, rate(10))];
  const runs = [run("a", 1, rate(80)), run("b", 1, rate(100)), ...slow, run("a", 3, rate(90)), run("b", 3, rate(100))];
  assert.deepEqual(compare(a, "requestsPerCpuSecond", runs).ratio, { median: 0.8, min: 0.8, max: 0.9 });
});

test("above 1 is better also where less of a figure is", () => {
  const runs = [run("a", 1, { p99Ms: 2 }), run("b", 1, { p99Ms: 1 })];
  assert.equal(compare(a, "p99Ms", runs).ratio.median, 0.5);
});

test("a run with failures counts neither for its lane nor in the ratio", () => {
  const failed = run("a", 2, rate(1_000), { status: 1 });
  const runs = [run("a", 1, rate(50)), run("b", 1, rate(100)), failed, run("b", 2, rate(100))];
  assert.equal(compare(a, "requestsPerCpuSecond", runs).ratio.max, 0.5);
  const summary = summarizeLane("a", runs);
  assert.deepEqual([summary.runs, summary.discardedRuns, summary.figures.requestsPerCpuSecond?.max], [1, 1, 50]);
});

test("nothing is claimed about a lane whose every run had failures", () => {
  const runs = [run("a", 1, rate(50), { timeout: 3 }), run("b", 1, rate(100))];
  assert.throws(() => summarizeLane("a", runs), /every run of a had failures/);
  assert.throws(() => compare(a, "requestsPerCpuSecond", runs), /in no round/);
});
