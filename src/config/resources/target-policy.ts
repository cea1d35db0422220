import type { z } from "zod";
import { ConsistentHashSpec, loadBalancer } from "./load-balancing.ts";

/**
 * How requests are spread over targets, and what happens when targets fail. An upstream has these settings, and so does a route
 * with targets of its own.
 */
export const targetPolicy = {
  load_balancer: loadBalancer.optional(),
  consistent_hash: ConsistentHashSpec.optional(),
} as const;

export const TARGET_POLICY_KEYS = Object.keys(targetPolicy) as readonly (keyof typeof targetPolicy)[];

export type TargetPolicy = { readonly [Key in keyof typeof targetPolicy]?: z.output<(typeof targetPolicy)[Key]> };
