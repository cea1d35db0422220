import { z } from "zod";
import { CircuitBreakerSpec } from "./circuit-breaker.ts";
import { HealthCheckSpec } from "./health-check.ts";
import { ConsistentHashSpec, loadBalancer } from "./load-balancing.ts";
import { OutlierDetectionSpec } from "./outlier-detection.ts";
import { RequestQueueSpec } from "./request-queue.ts";
import { duration } from "./scalars.ts";
import { SessionAffinitySpec } from "./session-affinity.ts";

/**
 * How requests are spread over targets, and what happens when targets fail. An upstream has these settings, and so does a route
 * with targets of its own.
 */
export const targetPolicy = {
  load_balancer: loadBalancer.optional(),
  consistent_hash: ConsistentHashSpec.optional(),
  session_affinity: SessionAffinitySpec.optional(),
  health_check: HealthCheckSpec.optional(),
  outlier_detection: OutlierDetectionSpec.optional(),
  circuit_breaker: CircuitBreakerSpec.optional(),
  request_queue: RequestQueueSpec.optional(),
  slow_start: duration
    .optional()
    .describe(
      "How long a target that is well again, or new, takes to get its full share, which grows evenly; not with `consistent_hash`. None means at once.",
    ),
  panic_threshold: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe(
      "When less than this percentage of the weight is healthy, unhealthy targets get requests too, since the rest would break down; 10 unless given, 0 means never.",
    ),
} as const;

export const TARGET_POLICY_KEYS = Object.keys(targetPolicy) as readonly (keyof typeof targetPolicy)[];

export type TargetPolicy = { readonly [Key in keyof typeof targetPolicy]?: z.output<(typeof targetPolicy)[Key]> };
