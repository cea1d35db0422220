import { z } from "zod";
import { duration } from "./scalars.ts";

export const CircuitBreakerSpec = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Whether there is one."),
    scope: z
      .enum(["target", "upstream"])
      .default("target")
      .describe("Whether each target has its own, so that the others go on, or all of them share one."),
    failure_threshold: z
      .int()
      .min(1)
      .max(10_000)
      .default(5)
      .describe("Failures in a row, over all workers, that open it: 5xx or no answer."),
    timeout: duration
      .prefault("30s")
      .describe("How long nothing gets through an open one; then it is half open, which is to try."),
    max_requests: z
      .int()
      .min(1)
      .max(1_000)
      .default(1)
      .describe(
        "Requests that a half-open one lets through; when they have all succeeded it closes, when one fails it opens again.",
      ),
  })
  .describe(
    "Spares targets that fail: while it is open requests are answered 503 at once, unless another target takes them.",
  );

export type CircuitBreakerSettings = z.output<typeof CircuitBreakerSpec>;
