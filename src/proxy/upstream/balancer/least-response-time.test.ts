import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chiSquared, lineupOf, REQUEST, seeded, turns } from "../testing/lineup-of.ts";
import type { Balancer } from "./balancer.ts";
import { LeastResponseTime } from "./least-response-time.ts";
import type { Lineup } from "./lineup.ts";
import { PeakEwma } from "./peak-ewma.ts";

/** Requests that come one each millisecond to targets that take so long, as an experiment on a table. */
function simulate(lineup: Lineup, requests: number, latencyMs: (target: number, nowMs: number) => number): number[] {
  let nowMs = 0;
  const balancer: Balancer = new LeastResponseTime(seeded(11), () => nowMs);
  const ends: { readonly atMs: number; readonly end: () => void }[] = [];
  return turns(lineup, requests, () => {
    nowMs++;
    for (const due of ends.filter(({ atMs }) => atMs <= nowMs)) {
      due.end();
      ends.splice(ends.indexOf(due), 1);
    }
    const target = balancer.next(lineup, REQUEST, "")!;
    const tookMs = latencyMs(Number(target.basePath), nowMs);
    target.load.inFlight++;
    ends.push({
      atMs: nowMs + tookMs,
      end: () => {
        target.load.inFlight--;
        target.answered(200, tookMs, nowMs);
      },
    });
    return target;
  });
}

describe("least response time", () => {
  it("goes by weight where all answer equally fast", () => {
    const weights = [1, 2, 5];
    const lineup = lineupOf(weights);
    const balancer: Balancer = new LeastResponseTime(seeded(5), () => 0);
    for (const { target } of lineup.members) target.answered(200, 10, 0);
    // The draw of two and the tie make the share of each: what it is drawn first.
    const counts = turns(lineup, 20_000, () => balancer.next(lineup, REQUEST, ""));
    const { is, bound } = chiSquared(counts, weights);
    assert.ok(is < bound, `${counts}`);
  });

  it("avoids a slow target: one that takes ten times as long gets less than a twentieth of the others' share", () => {
    const counts = simulate(lineupOf([1, 1, 1, 1]), 10_000, (target) => (target === 2 ? 100 : 10));
    const others = (counts[0]! + counts[1]! + counts[3]!) / 3;
    assert.ok(counts[2]! < others / 20, `${counts}`);
    assert.ok(counts[2]! > 0, "it is still tried");
  });

  it("comes back to a target that is fast again", () => {
    const lineup = lineupOf([1, 1]);
    const slowUntilMs = 5_000;
    const slow = (target: number, nowMs: number) => (target === 0 && nowMs < slowUntilMs ? 200 : 10);
    const before = simulate(lineup, slowUntilMs, slow);
    const after = simulate(lineup, 60_000, () => 10);
    assert.ok(before[0]! < before[1]! / 10, `${before}`);
    assert.ok(after[0]! > after[1]! / 2, `${after}`);
  });

  it("gives a target that never answered one request before it gives it a second", () => {
    const lineup = lineupOf([1, 1]);
    const balancer: Balancer = new LeastResponseTime(seeded(1), () => 0);
    lineup.members[0]!.target.answered(200, 1, 0);
    balancer.next(lineup, REQUEST, "")!.load.inFlight++;
    assert.equal(lineup.members[1]!.target.load.inFlight, 1);
    assert.equal(balancer.next(lineup, REQUEST, "")?.basePath, "0");
  });

  it("passes over whom it has to", () => {
    const lineup = lineupOf([1, 1]);
    const balancer: Balancer = new LeastResponseTime(seeded(1), () => 0);
    lineup.members[0]!.isPassedOver = true;
    assert.equal(balancer.next(lineup, REQUEST, "")?.basePath, "1");
    lineup.members[1]!.isPassedOver = true;
    assert.equal(balancer.next(lineup, REQUEST, ""), undefined);
  });
});

describe("a peak EWMA", () => {
  it("takes a peak at once, forgets it slowly, and fades while nothing is measured", () => {
    const latency = new PeakEwma();
    assert.equal(latency.at(0), 0);
    latency.observe(10, 0);
    latency.observe(100, 1);
    assert.equal(latency.at(1), 100);
    latency.observe(10, 1_001);
    assert.ok(latency.at(1_001) > 90 && latency.at(1_001) < 100);
    for (let nowMs = 1_001; nowMs < 60_000; nowMs += 100) latency.observe(10, nowMs);
    assert.ok(Math.abs(latency.at(60_000) - 10) < 0.5, `${latency.at(60_000)}`);
    assert.ok(latency.at(90_000) < 1);
  });
});
