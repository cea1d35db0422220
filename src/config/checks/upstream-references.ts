import { nearestName } from "../nearest-name.ts";
import { type Check, type Names, problemOf } from "./check.ts";

/** Who names an upstream, routes and the plugins on them, names one that exists. */
export const upstreamReferences: Check = function* ({ routes, plugins, upstreamIds, language }) {
  for (const { id, upstream, plugins: blocks } of routes) {
    if (upstream !== undefined && !upstreamIds.has(upstream))
      yield problemOf("route", id, "upstream", missing(upstream, upstreamIds));
    for (const named of language.upstreamsNamedBy(blocks))
      if (!upstreamIds.has(named.upstream))
        yield problemOf("route", id, named.path, missing(named.upstream, upstreamIds));
  }
  for (const { path, upstream } of language.upstreamsNamedBy(plugins)) {
    const [name = "", ...rest] = path.split(".");
    if (!upstreamIds.has(upstream)) yield problemOf("settings", name, rest.join("."), missing(upstream, upstreamIds));
  }
};

function missing(upstream: string, known: Names): string {
  const nearest = nearestName(upstream, known);
  const hint = nearest === undefined ? "add it under upstreams" : `did you mean "${nearest}"?`;
  return `there is no upstream "${upstream}"; ${hint}`;
}
