import { TARGET_POLICY_KEYS } from "../resources/target-policy.ts";
import { type Check, problemOf } from "./check.ts";

/** A route that shares the targets of an upstream shares what the upstream says about them. */
export const targetPolicies: Check = function* ({ routes }) {
  for (const route of routes) {
    if (route.upstream === undefined) continue;
    for (const key of TARGET_POLICY_KEYS)
      if (route[key] !== undefined)
        yield problemOf("route", route.id, key, `belongs to the upstream: set upstreams.${route.upstream}.${key}`);
  }
};
