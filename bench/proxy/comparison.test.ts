import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, summarizeSubject } from "./comparison.ts";
import { costOf, type Run } from "./run.ts";

function run(subject: string, round: number, requestsPerCpuSecond: number, failures: Record<string, number> = {}): Run {
  return {
    subject,
    round,
    requests: 1_000,
    requestsPerSecond: requestsPerCpuSecond / 2,
    requestsPerCpuSecond,
    cpuMicrosPerRequest: 1_000_000 / requestsPerCpuSecond,
    cpuShare: 0.5,
    p50Ms: 1,
    p99Ms: 2,
    rssBytes: 1_000,
    failures,
  };
}

test("CPU is what was used between the two readings, memory what is held at the end", () => {
  const cost = costOf(1_000, 100, { cpuMs: 500, rssBytes: 1 }, { cpuMs: 550, rssBytes: 2 });
  assert.deepEqual(cost, { cpuMicrosPerRequest: 50, requestsPerCpuSecond: 20_000, cpuShare: 0.5, rssBytes: 2 });
});

test("the ratio is taken round by round, so a slow spell of the machine does not show in it", () => {
  const runs = [run("a", 1, 80), run("b", 1, 100), run("a", 2, 8), run("b", 2, 10), run("a", 3, 90), run("b", 3, 100)];
  assert.deepEqual(compare("a", "b", runs).requestsPerCpuSecond, { median: 0.8, min: 0.8, max: 0.9 });
});

test("a run with failures counts neither for its subject nor in the ratio", () => {
  const runs = [run("a", 1, 50), run("b", 1, 100), run("a", 2, 1_000, { status: 1 }), run("b", 2, 100)];
  assert.equal(compare("a", "b", runs).requestsPerCpuSecond.max, 0.5);
  const summary = summarizeSubject("a", runs);
  assert.deepEqual([summary.runs, summary.discardedRuns, summary.requestsPerCpuSecond.max], [1, 1, 50]);
});

test("nothing is claimed about a subject whose every run had failures", () => {
  const runs = [run("a", 1, 50, { timeout: 3 }), run("b", 1, 100)];
  assert.throws(() => summarizeSubject("a", runs), /every run of a had failures/);
  assert.throws(() => compare("a", "b", runs), /in no round/);
});
