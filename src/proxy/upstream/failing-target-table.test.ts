import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eventually } from "../testing/test-proxy.ts";
import type { Mood } from "./testing/moody-origin.ts";
import { UpstreamStage } from "./testing/upstream-stage.ts";

/*
 * Two targets share twelve requests, one after another; one of them is not well. Who gets what with each combination of what can be
 * done about it. Times are long enough not to end within a case; what becomes of a target that is well again is told elsewhere.
 */

type Trouble = Exclude<Mood, "well"> | "refusing" | "full";

interface Remedies {
  readonly health: boolean;
  readonly outliers: boolean;
  readonly breaker: boolean;
  readonly retries: "none" | "without budget" | "within budget";
}

const REQUESTS = 12;
const FAILURES_IN_A_ROW = 3;
const TIME_LIMIT = "400ms";
/** Nobody who answers waits for this. */
const LONG = "5m";

const YES_NO = [false, true] as const;
const COMBINATIONS: readonly Remedies[] = YES_NO.flatMap((health) =>
  YES_NO.flatMap((outliers) =>
    YES_NO.flatMap((breaker) =>
      (["none", "without budget", "within budget"] as const).map((retries) => ({ health, outliers, breaker, retries })),
    ),
  ),
);

/** How many requests the target that is not well gets, and how many clients see it. */
function expected(trouble: Trouble, { health, outliers, breaker, retries }: Remedies) {
  // One that has no connection to spare is passed over by all, as nobody needs to be told.
  if (trouble === "full") return { asked: 0, failed: 0 };
  // One that passes checks, and never fails often enough in a row, is as good as well for whoever goes by that.
  const isSeen = trouble !== "flapping";
  const half = REQUESTS / 2;
  const asked = isSeen && health ? 0 : isSeen && (outliers || breaker) ? FAILURES_IN_A_ROW : half;
  const failing = trouble === "flapping" ? asked / 2 : asked;
  return { asked, failed: retries === "within budget" ? 0 : failing };
}

function policyOf({ health, outliers, breaker }: Remedies): object {
  return {
    ...(health ? { health_check: { interval: "300ms", timeout: "300ms", unhealthy_after: 2 } } : {}),
    ...(outliers
      ? { outlier_detection: { consecutive_failures: FAILURES_IN_A_ROW, ejection_time: LONG, max_ejection_time: LONG } }
      : {}),
    ...(breaker ? { circuit_breaker: { failure_threshold: FAILURES_IN_A_ROW, timeout: LONG } } : {}),
  };
}

function routeOf({ retries }: Remedies): object {
  if (retries === "none") return { timeout_policy: { request: TIME_LIMIT } };
  const budget = retries === "within budget" ? { ratio: 1 } : { ratio: 0, min_retries: 0 };
  return {
    timeout_policy: { request: LONG },
    retry_policy: {
      ...{ max_retries: 1, initial_backoff: "1ms", retryable_statuses: ["5xx"], per_try_timeout: TIME_LIMIT, budget },
    },
  };
}

async function bring(stage: UpstreamStage, trouble: Trouble): Promise<void> {
  const target = stage.origin("b");
  if (trouble === "refusing") await target.stop();
  else if (trouble !== "full") target.mood = trouble;
  else {
    for (const origin of stage.origins) origin.mood = "silent";
    // Two that never end take the one connection of each target; then that of the other is given back.
    const clients = [stage.gateway.client().get("/"), stage.gateway.client().get("/")];
    await eventually(() => stage.requests === 2, "a request at each target");
    stage.origin("a").speak();
    await eventually(() => clients.some(({ received }) => received.endsWith("a")), "the answer");
    stage.origin("a").mood = "well";
  }
}

async function play(trouble: Trouble, remedies: Remedies) {
  const isFull = trouble === "full";
  const route = isFull ? { ...routeOf(remedies), timeout_policy: { request: LONG } } : routeOf(remedies);
  // The checks of one that is full would take its connection's place in the story; they are told apart elsewhere.
  const policy = policyOf(isFull ? { ...remedies, health: false } : remedies);
  const stage = await UpstreamStage.open("ab");
  try {
    await stage.set(policy, route, undefined, isFull ? { max_conns_per_host: 1 } : {});
    await bring(stage, trouble);
    if (remedies.health && !isFull && trouble !== "flapping")
      await eventually(() => stage.logged().includes("A target is unhealthy"), "the finding");
    const before = stage.origin("b").requests;
    const answers = await stage.ask(REQUESTS);
    const failed = answers.filter(({ status }) => status !== 200).length;
    return { asked: stage.origin("b").requests - before, failed };
  } finally {
    await stage.stop();
  }
}

describe("of two targets, one that is", () => {
  for (const trouble of ["failing", "unavailable", "resetting", "silent", "flapping", "full"] as const)
    it(`${trouble} gets what it should, with checks, outlier detection, breaker, retries and budget on and off`, async () => {
      const results = await Promise.all(COMBINATIONS.map((remedies) => play(trouble, remedies)));
      const shown = results.map((result, index) => ({ ...COMBINATIONS[index]!, ...result }));
      assert.deepEqual(
        shown,
        COMBINATIONS.map((remedies) => ({ ...remedies, ...expected(trouble, remedies) })),
      );
    });

  it("refusing connections costs no more clients an answer than it may", async () => {
    const results = await Promise.all(COMBINATIONS.map((remedies) => play("refusing", remedies)));
    const shown = results.map(({ failed }, index) => ({ ...COMBINATIONS[index]!, failed }));
    assert.deepEqual(
      shown,
      COMBINATIONS.map((remedies) => ({ ...remedies, failed: expected("refusing", remedies).failed })),
    );
  });
});
