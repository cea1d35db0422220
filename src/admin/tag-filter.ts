import type { Resource } from "../config/resource.ts";
import { RunwayError } from "../core/failure.ts";

/** Which resources a query such as `a,b` (both tags) or `a/b` (either) asks for. */
export function tagFilter(query: string | undefined): (resource: Resource) => boolean {
  if (query === undefined) return () => true;
  const [all, any] = [query.split(","), query.split("/")];
  if (all.length > 1 && any.length > 1)
    throw new RunwayError("adminBadRequest", "tags: take either , (all of them) or / (any of them), not both.");
  if (any.length > 1) return (resource) => any.some((tag) => tagsOf(resource).includes(tag));
  return (resource) => all.every((tag) => tagsOf(resource).includes(tag));
}

function tagsOf({ spec: { tags } }: Resource): readonly unknown[] {
  return Array.isArray(tags) ? tags : [];
}
