import type { Json } from "./json.ts";
import { inCanonicalOrder, type Resource } from "./resource.ts";
import { stateHash } from "./state-hash.ts";

/**
 * The one noun that travels through the house: a whole configuration, complete and frozen. `version` counts the commits of
 * the store that `epoch` names, without gaps, from 1. `hash` is the state hash of `resources` (see state-hash.ts): equal
 * states have equal hashes whatever the way they were reached. `resources` are in canonical order (see resource.ts); what
 * the order of a document means to routing is inside the specs.
 */
export interface Snapshot {
  readonly epoch: string;
  readonly version: number;
  readonly hash: bigint;
  readonly resources: readonly Resource[];
}

/** A frozen snapshot with its hash computed. Takes resources in any order. */
export function createSnapshot({ epoch, version, resources }: Omit<Snapshot, "hash">): Snapshot {
  const ordered = inCanonicalOrder(resources).map(freezeResource);
  return Object.freeze({ epoch, version, hash: stateHash(ordered), resources: Object.freeze(ordered) });
}

/** Freezes a resource to its depth. What is frozen already is taken to be so throughout. */
export function freezeResource(resource: Resource): Resource {
  freezeJson(resource.spec);
  return Object.freeze(resource);
}

function freezeJson(value: Json): void {
  if (value === null || typeof value !== "object" || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const child of Object.values(value)) freezeJson(child);
}
