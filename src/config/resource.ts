import type { JsonObject } from "./json.ts";

/**
 * The unit in which configuration is stored, compared, hashed and sent. A document and a set of resources are two
 * spellings of one thing. `spec` is what the user wrote, checked but without defaults filled in. A settings block is a
 * resource of kind `settings` whose id is the block's name (`logging`, `transport`, …).
 */
export interface Resource {
  /** `listener`, `upstream`, `route`, `settings`, or a kind that a plugin owns: the language knows them all (see language.ts). */
  readonly kind: string;
  readonly id: string;
  readonly spec: JsonObject;
}

/** What names a resource. */
export type ResourceRef = Pick<Resource, "kind" | "id">;

/** Unique among resources, `route:api`. */
export function resourceKey({ kind, id }: ResourceRef): string {
  return `${kind}:${id}`;
}

/** The canonical order: by kind, then by id, both in code-unit order. */
export function compareResources(a: ResourceRef, b: ResourceRef): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

export function inCanonicalOrder(resources: Iterable<Resource>): Resource[] {
  return [...resources].sort(compareResources);
}
