import type { JsonObject } from "./json.ts";

export const RESOURCE_KINDS = ["listener", "route", "upstream", "settings"] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

/**
 * The unit in which configuration is stored, compared, hashed and sent. A document and a set of resources are two
 * spellings of one thing. `spec` is what the user wrote, checked but without defaults filled in. A settings block is a
 * resource of kind `settings` whose id is the block's name (`logging`, `transport`, …).
 */
export interface Resource {
  readonly kind: ResourceKind;
  readonly id: string;
  readonly spec: JsonObject;
}

/** Unique among resources, `route:api`. */
export function resourceKey({ kind, id }: Pick<Resource, "kind" | "id">): string {
  return `${kind}:${id}`;
}
