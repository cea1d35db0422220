import { z } from "zod";
import { definePlugin, duration } from "../../sdk/index.ts";

/** Of bodies that are kept in a worker at a time for one block. */
const MAX_KEPT_BYTES = 268_435_456;

/** Sends copies of requests to another upstream, whose answers nobody gets. */
export const mirror = definePlugin({
  name: "mirror",
  config: z
    .strictObject({
      upstream: z.string().describe("The upstream that gets the copies."),
      percentage: z.number().gt(0).max(100).default(100).describe("Of the requests, how many in a hundred are copied."),
      max_body_size: z
        .int()
        .min(0)
        .max(16_777_216)
        .default(65_536)
        .describe("Bytes of a body that are kept for a copy; a request with a longer body is not copied."),
      max_in_flight: z
        .int()
        .min(1)
        .max(10_000)
        .default(100)
        .describe("Copies that each worker may have on their way; beyond them requests are not copied."),
      timeout: duration
        .refine((ms) => ms > 0, "must be longer than nothing")
        .prefault("5s")
        .describe("How long a copy may take in all; then it is given up."),
    })
    .refine(({ max_body_size, max_in_flight }) => max_body_size * max_in_flight <= MAX_KEPT_BYTES, {
      error: `times max_in_flight must be at most ${MAX_KEPT_BYTES} bytes, which a worker may have to keep`,
      path: ["max_body_size"],
    })
    .describe("Copies requests to another upstream; its answers are discarded and clients notice nothing."),
  upstreamsOf: ({ upstream }) => [{ path: "upstream", upstream: upstream as string }],
  create({ upstream, percentage, max_body_size: maxBodyBytes, max_in_flight, timeout: timeoutMs }, host) {
    let due = 0;
    let inFlight = 0;
    return {
      onRequest(request) {
        due += percentage;
        if (due < 100) return;
        due -= 100;
        if (inFlight >= max_in_flight) {
          host.count("skipped");
          return;
        }
        inFlight++;
        request.copyTo({
          ...{ upstream, maxBodyBytes, timeoutMs },
          onOver: (fate) => {
            inFlight--;
            host.count(fate);
          },
        });
      },
    };
  },
});
