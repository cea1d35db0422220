import { applyDelta, type Delta, type EffectiveDelta, effectiveDelta } from "./delta.ts";
import type { Json } from "./json.ts";
import { inCanonicalOrder, type Resource } from "./resource.ts";
import { adjustStateHash, resourceHash, stateHash } from "./state-hash.ts";

/**
 * The one noun that travels through the house: a whole configuration, complete and frozen, but for the list of resources, which only its
 * type keeps from being changed: the engine copies a frozen list item by item, 100,000 in 3 ms instead of 0.05. `version` counts the commits of
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
  return Object.freeze({ epoch, version, hash: stateHash(ordered), resources: ordered });
}

/** The snapshot that a delta makes of another, and what of the delta changes it. Its hash costs what the delta is long. */
export function changeSnapshot(before: Snapshot, version: number, delta: Delta): Changed {
  const effective = effectiveDelta(before.resources, delta);
  const upserts = effective.upserts.map(freezeResource);
  const hash = adjustStateHash(before.hash, effective.replaced.map(resourceHash), upserts.map(resourceHash));
  const resources = applyDelta(before.resources, { upserts, removals: effective.removals });
  return {
    snapshot: Object.freeze({ epoch: before.epoch, version, hash, resources }),
    delta: { ...effective, upserts },
  };
}

interface Changed {
  readonly snapshot: Snapshot;
  readonly delta: EffectiveDelta;
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
