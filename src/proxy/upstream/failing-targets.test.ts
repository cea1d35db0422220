import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { eventually } from "../testing/test-proxy.ts";
import type { Mood } from "./testing/moody-origin.ts";
import { UpstreamStage } from "./testing/upstream-stage.ts";

const open: UpstreamStage[] = [];
afterEach(async () => {
  for (const stage of open.splice(0)) await stage.stop();
});

async function stageOf(names: string, policy: object, route: object = {}): Promise<UpstreamStage> {
  const stage = await UpstreamStage.open(names, policy, route);
  open.push(stage);
  return stage;
}

/** Resolves once these and only these targets answer. */
async function untilServedBy(stage: UpstreamStage, names: string): Promise<void> {
  for (let tries = 0, seen = ""; seen !== names; seen = await stage.who(2 * stage.origins.length))
    if (++tries > 500) throw new Error(`never served by ${names} alone, but by ${seen}`);
}

const CHECK = { interval: "20ms", timeout: "20ms", healthy_after: 2, unhealthy_after: 2 };
const UNWELL: readonly Mood[] = ["failing", "resetting", "silent"];

describe("active health checks", () => {
  for (const mood of UNWELL)
    it(`keep requests from a target that is ${mood}, and bring them back once it is well`, async () => {
      const stage = await stageOf("ab", { health_check: CHECK });
      stage.origin("b").mood = mood;
      // Nobody sends requests while the checks find out, so that none is lost.
      await eventually(() => stage.logged().includes("A target is unhealthy"), "the finding");
      const before = stage.origin("b").requests;
      assert.equal(await stage.who(10), "a");
      assert.equal(stage.origin("b").requests, before);
      stage.origin("b").mood = "well";
      await eventually(() => stage.logged().includes("A target is healthy again"), "the recovery");
      assert.equal(await stage.who(10), "ab");
    });

  it("change nothing before so many results in a row say the same", async () => {
    const stage = await stageOf("a", { health_check: { ...CHECK, unhealthy_after: 3 } });
    await eventually(() => stage.logged().includes("A target is healthy"), "the first finding");
    const { checks } = stage.origin("a");
    stage.origin("a").mood = "failing";
    await eventually(() => stage.logged().includes("A target is unhealthy"), "the finding");
    assert.ok(stage.origin("a").checks >= checks + 3);
  });

  it("ask only whether a connection opens, where that is enough", async () => {
    const stage = await stageOf("ab", { health_check: { ...CHECK, type: "tcp" } });
    stage.origin("b").mood = "failing";
    await eventually(
      () => stage.logged().filter((line) => line === "A target is healthy").length === 2,
      "the findings",
    );
    await stage.origin("b").stop();
    await eventually(() => stage.logged().includes("A target is unhealthy"), "the finding");
    assert.equal(await stage.who(6), "a");
  });

  it("of targets that are all unhealthy are not believed, unless somebody wants that", async () => {
    for (const [threshold, by] of [
      [10, "ab"],
      [0, "RW_NO_TARGET"],
    ] as const) {
      const stage = await stageOf("ab", {
        health_check: { ...CHECK, expected_status: [204] },
        panic_threshold: threshold,
      });
      await eventually(() => stage.logged().filter((line) => line === "A target is unhealthy").length === 2, "both");
      assert.equal(await stage.who(6), by);
    }
  });

  it("of what does not change go on over a change of configuration", async () => {
    const stage = await stageOf("ab", { health_check: CHECK });
    stage.origin("b").mood = "failing";
    await eventually(() => stage.logged().includes("A target is unhealthy"), "the finding");
    await stage.set({ health_check: CHECK }, { max_body_size: 5 });
    assert.equal(await stage.who(6), "a", "untouched");
    await stage.set({ health_check: CHECK, load_balancer: "least_conn" });
    assert.equal(await stage.who(6), "a", "other settings, the same targets");
    await stage.set({});
    assert.equal((await stage.ask(6)).filter(({ status }) => status === 500).length, 3, "nobody asks any more");
  });
});

describe("outlier detection", () => {
  const OUTLIERS = { consecutive_failures: 3, ejection_time: "200ms", interval: "100ms" };

  for (const mood of UNWELL)
    it(`leaves out a target that is ${mood} after so many failures in a row, and lets it in again`, async () => {
      const policy = { outlier_detection: OUTLIERS };
      const stage = await stageOf("ab", policy, { timeout_policy: { request: "60ms" } });
      stage.origin("b").mood = mood;
      const answers = await stage.ask(12);
      assert.equal(answers.filter(({ by }) => by !== "a").length, 3);
      stage.origin("b").mood = "well";
      await untilServedBy(stage, "ab");
      assert.deepEqual(
        stage.logged().filter((line) => line.startsWith("A target")),
        ["A target fails requests and is left out", "A target that failed requests gets them again"],
      );
    });

  it("leaves out a target that fails a share of its requests", async () => {
    const policy = { outlier_detection: { ...OUTLIERS, consecutive_failures: 0, failure_rate: 0.4, min_requests: 5 } };
    const stage = await stageOf("ab", policy);
    let turn = 0;
    const flap = setInterval(() => {
      stage.origin("b").mood = turn++ % 2 === 0 ? "failing" : "well";
    }, 3);
    await untilServedBy(stage, "a");
    clearInterval(flap);
  });

  it("never leaves out more than its share of the targets", async () => {
    const stage = await stageOf("abcd", {
      outlier_detection: { ...OUTLIERS, max_ejected_percent: 50, ejection_time: "5m", max_ejection_time: "5m" },
    });
    for (const origin of stage.origins) origin.mood = "failing";
    await stage.ask(40);
    const before = stage.origins.map(({ requests }) => requests);
    await stage.ask(20);
    const gained = stage.origins.map(({ requests }, index) => requests - before[index]!);
    assert.deepEqual(gained.sort(), [0, 0, 10, 10]);
  });

  it("leaves out a target for longer each time", async () => {
    const stage = await stageOf("ab", {
      outlier_detection: { ...OUTLIERS, ejection_time: "60ms", max_ejection_time: "150ms" },
    });
    stage.origin("b").mood = "failing";
    const times = () =>
      stage.gateway
        .logLines()
        .map(({ fields }) => fields.for_ms)
        .filter((ms) => ms !== undefined);
    while (times().length < 4) await stage.ask(1);
    assert.deepEqual(times().slice(0, 4), [60, 120, 150, 150]);
  });
});

describe("a circuit breaker", () => {
  const BREAKER = { failure_threshold: 3, timeout: "150ms" };

  for (const mood of UNWELL)
    it(`of a target that is ${mood} sends its requests to the others, and tries it after its time`, async () => {
      const stage = await stageOf("ab", { circuit_breaker: BREAKER }, { timeout_policy: { request: "60ms" } });
      stage.origin("b").mood = mood;
      const answers = await stage.ask(12);
      assert.equal(answers.filter(({ by }) => by !== "a").length, 3);
      stage.origin("b").mood = "well";
      await untilServedBy(stage, "ab");
      await eventually(() => stage.logged().includes("A circuit breaker closed"), "the line about it");
      assert.deepEqual(
        stage.logged().filter((line) => line.startsWith("A circuit")),
        [
          "A circuit breaker opened: it lets no requests through",
          "A circuit breaker lets requests try",
          "A circuit breaker closed",
        ],
      );
    });

  it("that is open answers at once where there is no other target, or none may be asked", async () => {
    for (const [names, scope] of [
      ["a", "target"],
      ["ab", "upstream"],
    ] as const) {
      const stage = await stageOf(names, { circuit_breaker: { ...BREAKER, scope, timeout: "5m" } });
      for (const origin of stage.origins) origin.mood = "failing";
      const answers = await stage.ask(6);
      assert.deepEqual(
        answers.map(({ by }) => by),
        ["", "", "", "RW_CIRCUIT_OPEN", "RW_CIRCUIT_OPEN", "RW_CIRCUIT_OPEN"],
      );
      assert.equal(answers[5]!.status, 503);
      assert.equal(
        stage.origins.reduce((sum, { requests }) => sum + requests, 0),
        3,
      );
    }
  });

  it("that is half open lets through as many requests as it may and no more, and opens again when one fails", async () => {
    const stage = await stageOf("a", { circuit_breaker: { ...BREAKER, max_requests: 2 } });
    const [origin] = stage.origins;
    origin!.mood = "failing";
    await stage.ask(3);
    origin!.mood = "silent";
    await eventually(() => stage.logged().includes("A circuit breaker lets requests try"), "half open");
    const clients = Array.from({ length: 6 }, () => stage.gateway.client().get("/"));
    const refused = () => clients.filter(({ received }) => received.includes("RW_CIRCUIT_OPEN"));
    await eventually(() => refused().length === 4 && origin!.requests === 5, "two that try, four that are refused");
    origin!.mood = "failing";
    for (const client of clients) client.close();
    await eventually(() => stage.gateway.state.sum("activeRequests") === 0, "the end of those");
    const [failed] = await stage.ask(1);
    assert.equal(failed!.status, 500, "the places of those that went away are free");
    assert.equal((await stage.ask(1))[0]!.by, "RW_CIRCUIT_OPEN");
  });

  it("stays as it is over a change of configuration that does not touch it", async () => {
    const policy = { circuit_breaker: { ...BREAKER, timeout: "5m" } };
    const stage = await stageOf("a", policy);
    stage.origin("a").mood = "failing";
    await stage.ask(3);
    stage.origin("a").mood = "well";
    await stage.set(policy, { max_body_size: 7 });
    assert.equal((await stage.ask(1))[0]!.by, "RW_CIRCUIT_OPEN");
    await stage.set({});
    assert.equal((await stage.ask(1))[0]!.by, "a");
  });
});

describe("slow start", () => {
  it("gives a target that is well again its share gradually", async () => {
    const stage = await stageOf("ab", { health_check: CHECK, slow_start: "600ms" });
    stage.origin("b").mood = "failing";
    await eventually(() => stage.logged().includes("A target is unhealthy"), "the finding");
    stage.origin("b").mood = "well";
    await eventually(() => stage.logged().includes("A target is healthy again"), "the recovery");
    const shareOfB = async () => {
      const answers = await stage.ask(40);
      return answers.filter(({ by }) => by === "b").length / 40;
    };
    const shares = [await shareOfB()];
    while (shares.at(-1)! < 0.5) shares.push(await shareOfB());
    assert.ok(shares[0]! < 0.25, `it begins low: ${shares}`);
    assert.ok(shares.length >= 4, `it takes its time: ${shares}`);
    for (const [index, share] of shares.slice(1).entries())
      assert.ok(share >= shares[index]! - 0.1, `it grows: ${shares}`);
  });

  it("is for targets that are new, too, but not for those an upstream begins with", async () => {
    const policy = { outlier_detection: {}, slow_start: "1h" };
    const stage = await stageOf("abc", {});
    await stage.set(policy, {}, "ab");
    assert.equal((await stage.ask(20)).filter(({ by }) => by === "b").length, 10);
    await stage.set(policy, {}, "abc");
    assert.equal((await stage.ask(42)).filter(({ by }) => by === "c").length, 2);
  });
});
