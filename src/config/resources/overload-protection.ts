import { z } from "zod";
import { duration } from "./scalars.ts";

/** When new requests are refused so that those begun can be finished. */
export const OverloadProtectionSpec = z.strictObject({
  max_event_loop_lag: duration
    .prefault("500ms")
    .describe("How late a worker may be, again and again, before it answers new requests with 503. 0s means any time."),
  max_memory_percent: z
    .number()
    .min(0)
    .max(100)
    .default(90)
    .describe(
      "Share of the memory that the process may have (of its container, or the machine) before new requests get 503. 0 means no limit.",
    ),
  retry_after: duration.prefault("5s").describe("What such an answer tells clients to wait, in Retry-After."),
});
