import { z } from "zod";
import { duration, httpToken } from "./scalars.ts";
import { statusCode } from "./status-codes.ts";

export const HealthCheckSpec = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Whether targets are asked how they are."),
    type: z
      .enum(["http", "tcp"])
      .default("http")
      .describe("What a target has to do: answer a request, or only take a connection."),
    path: z
      .string()
      .regex(/^\/[^#\s]*$/, 'must start with "/" and have no fragment or space')
      .default("/health")
      .describe("What is asked for, behind the path of the target's URL."),
    method: httpToken.default("GET").describe("The method that is used."),
    interval: duration
      .prefault("10s")
      .describe(
        "From one check of a target to the next, by each node. A tenth more or less is left to chance, so that checks spread out.",
      ),
    timeout: duration.prefault("5s").describe("How long a check may take, at most `interval`."),
    healthy_after: z.int().min(1).max(100).default(2).describe("Successes in a row that make a target healthy."),
    unhealthy_after: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe("Failures in a row that make a target unhealthy: it gets no new requests."),
    expected_status: z
      .array(statusCode)
      .min(1)
      .default(["200-399"])
      .describe("Statuses that are a success: 200, 2xx, 200-399."),
  })
  .refine(({ interval }) => interval >= 10, { error: "must be at least 10ms", path: ["interval"] })
  .refine(({ timeout, interval }) => timeout > 0 && timeout <= interval, {
    error: "must be more than 0s and at most `interval`",
    path: ["timeout"],
  })
  .describe("Active checks of the targets. Absent means that nobody asks.");

export type HealthCheckSettings = z.output<typeof HealthCheckSpec>;
