import { z } from "zod";
import { httpToken } from "./scalars.ts";

const LOAD_BALANCERS = ["round_robin", "least_conn", "consistent_hash", "least_response_time"] as const;

export const loadBalancer = z
  .enum(LOAD_BALANCERS)
  .describe(
    "How the next target is chosen: in turn, the one with the fewest requests in flight, by a hash of the request, or the one of two that answers sooner. Weights count in each.",
  );

export const ConsistentHashSpec = z
  .strictObject({
    key: z
      .enum(["header", "cookie", "path", "ip"])
      .default("ip")
      .describe("What of a request is hashed. A request that does not have it is hashed by its client's address."),
    header_name: httpToken.optional().describe("The header, with `key: header`."),
    cookie_name: httpToken.optional().describe("The cookie, with `key: cookie`."),
    load_factor: z
      .number()
      .min(1.05)
      .max(100)
      .optional()
      .describe(
        "How much more than its share of the requests in flight a target may have, in each worker, before requests go to their next choice: 1.25 is a quarter more. None means any.",
      ),
  })
  .refine(({ key, header_name }) => key !== "header" || header_name !== undefined, {
    error: "is required with `key: header`",
    path: ["header_name"],
  })
  .refine(({ key, cookie_name }) => key !== "cookie" || cookie_name !== undefined, {
    error: "is required with `key: cookie`",
    path: ["cookie_name"],
  })
  .describe("What `load_balancer: consistent_hash` goes by.");

export type LoadBalancer = (typeof LOAD_BALANCERS)[number];
export type ConsistentHash = z.output<typeof ConsistentHashSpec>;
