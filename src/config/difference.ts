import { equalJson } from "./json.ts";
import { compareResources, inCanonicalOrder, type Resource, type ResourceRef } from "./resource.ts";

export interface Change extends ResourceRef {
  readonly action: "added" | "changed" | "removed";
}

/** What turns the state `before` into the state `after`, in canonical order; empty exactly when their contents are equal. */
export function difference(before: Iterable<Resource>, after: Iterable<Resource>): Change[] {
  const changes: Change[] = [];
  const old = inCanonicalOrder(before);
  let next = 0;
  for (const resource of inCanonicalOrder(after)) {
    while (next < old.length && compareResources(old[next]!, resource) < 0)
      changes.push(change(old[next++]!, "removed"));
    const counterpart = old[next];
    if (counterpart === undefined || compareResources(counterpart, resource) > 0)
      changes.push(change(resource, "added"));
    else {
      next += 1;
      if (!sameSpec(counterpart, resource)) changes.push(change(resource, "changed"));
    }
  }
  for (const resource of old.slice(next)) changes.push(change(resource, "removed"));
  return changes;
}

/** `route:api-v2 added`. */
export function describeChange({ kind, id, action }: Change): string {
  return `${kind}:${id} ${action}`;
}

function change({ kind, id }: Resource, action: Change["action"]): Change {
  return { kind, id, action };
}

function sameSpec(a: Resource, b: Resource): boolean {
  return equalJson(a.spec, b.spec);
}
