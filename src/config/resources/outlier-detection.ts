import { z } from "zod";
import { duration } from "./scalars.ts";

export const OutlierDetectionSpec = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Whether targets that fail requests are left out for a while."),
    consecutive_failures: z
      .int()
      .min(0)
      .max(10_000)
      .default(5)
      .describe(
        "Failures in a row, over all workers, that a target is left out for: 5xx or no answer. 0 means any number.",
      ),
    failure_rate: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("Share of the requests of an interval that may fail before a target is left out. 0 means all may."),
    min_requests: z
      .int()
      .min(1)
      .default(20)
      .describe("Requests that a target must have had in an interval for its failure rate to count."),
    interval: duration.prefault("10s").describe("How often failure rates are looked at."),
    ejection_time: duration
      .prefault("30s")
      .describe("How long a target is left out the first time; each time soon after takes as much longer."),
    max_ejection_time: duration.prefault("5m").describe("The longest that a target is left out."),
    max_ejected_percent: z
      .int()
      .min(0)
      .max(100)
      .default(50)
      .describe("Share of the targets that may be left out at a time; rounded down."),
  })
  .refine(({ interval }) => interval >= 100, { error: "must be at least 100ms", path: ["interval"] })
  .refine(({ ejection_time, max_ejection_time }) => ejection_time <= max_ejection_time, {
    error: "must be at least `ejection_time`",
    path: ["max_ejection_time"],
  })
  .describe("What is learned from requests about targets that fail them.");

export type OutlierDetection = z.output<typeof OutlierDetectionSpec>;
