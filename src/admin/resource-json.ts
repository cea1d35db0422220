import type { JsonObject } from "../config/json.ts";
import type { Resource } from "../config/resource.ts";
import { withoutRank } from "../config/route-order.ts";
import { formatHash, resourceHash } from "../config/state-hash.ts";

/** A resource as the API shows it: what was written, and its id. Ranks are ours. */
export function resourceJson({ kind, id, spec }: Resource): JsonObject {
  return { id, ...(kind === "route" ? withoutRank(spec) : spec) };
}

/** Names the content of a resource for `ETag` and `If-Match`. */
export function resourceTag(resource: Resource): string {
  return `"${formatHash(resourceHash({ ...resource, spec: resourceJson(resource) }))}"`;
}
