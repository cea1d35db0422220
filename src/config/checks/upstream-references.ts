import { nearestName } from "../nearest-name.ts";
import { type Check, problemOf } from "./check.ts";

/** A route that names an upstream names one that exists. */
export const upstreamReferences: Check = function* ({ routes, upstreamIds }) {
  for (const { id, upstream } of routes) {
    if (upstream === undefined || upstreamIds.has(upstream)) continue;
    const nearest = nearestName(upstream, upstreamIds);
    const hint = nearest === undefined ? "add it under upstreams" : `did you mean "${nearest}"?`;
    yield problemOf("route", id, "upstream", `there is no upstream "${upstream}"; ${hint}`);
  }
};
