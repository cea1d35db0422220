import { z } from "zod";
import { duration } from "./scalars.ts";

export const RequestQueueSpec = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Whether requests wait."),
    max_depth: z
      .int()
      .min(1)
      .max(65_535)
      .default(100)
      .describe("Requests that may wait, in each worker; one more is answered 503 at once."),
    max_wait: duration.prefault("30s").describe("How long a request may wait; then 503."),
  })
  .describe(
    "Lets requests wait, first come first served, while all targets have `transport.max_conns_per_host` connections.",
  );

export type RequestQueueSettings = z.output<typeof RequestQueueSpec>;
