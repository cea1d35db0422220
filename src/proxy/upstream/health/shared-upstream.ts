import type { TargetPolicy } from "../../../config/resources/target-policy.ts";

/** The memory in which workers and supervisor know an upstream together; sent with the upstream. */
export interface SharedUpstream {
  readonly upstream: SharedArrayBuffer;
  /** By the target's URL. */
  readonly targets: ReadonlyMap<string, SharedArrayBuffer>;
}

/** By the key of who has the targets, see upstream-settings.ts. */
export type SharedUpstreams = ReadonlyMap<string, SharedUpstream>;

/** Whether anything is known together of an upstream with this policy; all others need no memory and cost nothing. */
export function isShared({ health_check, outlier_detection, circuit_breaker }: TargetPolicy): boolean {
  return [health_check, outlier_detection, circuit_breaker].some((block) => block?.enabled === true);
}
