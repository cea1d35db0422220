import { z } from "zod";
import { duration, httpToken } from "./scalars.ts";
import { statusCode } from "./status-codes.ts";

const BudgetSpec = z
  .strictObject({
    ratio: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe("Further attempts that there may be for each request of the window, over all workers."),
    min_retries: z
      .int()
      .min(0)
      .max(10_000)
      .default(10)
      .describe("Further attempts in a window that are allowed however few requests there are."),
    window: duration.prefault("10s").describe("The time that requests and further attempts are counted over."),
  })
  .refine(({ window }) => window >= 100, { error: "must be at least 100ms", path: ["window"] })
  .describe("What keeps retries from making an outage worse: beyond it a failure is passed on at once.");

const HedgingSpec = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Whether slow requests are sent to further targets."),
    max_requests: z
      .int()
      .min(2)
      .max(10)
      .default(2)
      .describe("Targets that may be asked at a time; the first answer wins."),
    delay: duration.prefault("100ms").describe("How long to wait for an answer before one more target is asked."),
  })
  .describe(
    "Asks one more target when an answer is late, for `retryable_methods` only; each counts against the budget.",
  );

export const RetryPolicySpec = z
  .strictObject({
    max_retries: z
      .int()
      .min(0)
      .max(10)
      .default(0)
      .describe("Further attempts after one that failed, each at another target where there is one. 0 means none."),
    initial_backoff: duration
      .prefault("100ms")
      .describe("The longest pause before the first of them; the pause itself is left to chance."),
    max_backoff: duration.prefault("10s").describe("The longest pause before any of them."),
    backoff_multiplier: z
      .number()
      .min(1)
      .max(10)
      .default(2)
      .describe("How the longest pause grows from one to the next."),
    retryable_statuses: z
      .array(statusCode)
      .default([502, 503, 504])
      .describe("Statuses of a target that count as a failed attempt: 503, 5xx, 502-504."),
    retryable_methods: z
      .array(httpToken)
      .default(["GET", "HEAD", "OPTIONS"])
      .describe(
        "Methods of requests that a target may get twice. Others are tried again only if no target was reached.",
      ),
    per_try_timeout: duration
      .optional()
      .describe("How long an attempt may take to get a response, connecting included; then it has failed."),
    max_body_size: z
      .int()
      .min(0)
      .max(16_777_216)
      .default(0)
      .describe(
        "Bytes of a request body that are kept for a further attempt; a request with a longer body is sent once.",
      ),
    budget: BudgetSpec.prefault({}),
    hedging: HedgingSpec.optional(),
  })
  .refine(({ max_retries, hedging }) => max_retries === 0 || hedging?.enabled !== true, {
    error: "and max_retries exclude each other",
    path: ["hedging"],
  })
  .describe("What happens when an attempt fails. The response of the last one is passed on.");

export type RetrySettings = z.output<typeof RetryPolicySpec>;
