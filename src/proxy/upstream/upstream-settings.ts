import type { Configuration } from "../../config/configuration.ts";
import type { Route } from "../../config/resources/route.ts";
import { TARGET_POLICY_KEYS, type TargetPolicy } from "../../config/resources/target-policy.ts";
import type { Upstream } from "../../config/resources/upstream.ts";
import type { PlannedTarget } from "./discovery/planned-target.ts";

/** What a configuration says about an upstream, or about a route with targets of its own. */
export interface UpstreamSettings extends TargetPolicy {
  readonly backends: readonly PlannedTarget[];
}

export function upstreamSettingsOf(owner: Upstream | Route): UpstreamSettings {
  const policy = Object.fromEntries(TARGET_POLICY_KEYS.map((key) => [key, owner[key]]));
  return { ...policy, backends: owner.backends ?? [] };
}

/** What names an upstream, or a route with targets of its own, among all owners of targets. */
export const upstreamKey = ({ id }: Pick<Upstream, "id">): string => `upstream:${id}`;
export const routeKey = ({ id }: Pick<Route, "id">): string => `route:${id}`;

/** What names the retry budget of a route in the same place. */
export const retryKey = ({ id }: Pick<Route, "id">): string => `retries:${id}`;

/** All who have targets, by key. */
export function* ownersOfTargets({
  upstreams,
  routes,
}: Pick<Configuration, "upstreams" | "routes">): Generator<readonly [string, Upstream | Route]> {
  for (const upstream of upstreams) yield [upstreamKey(upstream), upstream];
  for (const route of routes) if (route.upstream === undefined) yield [routeKey(route), route];
}
