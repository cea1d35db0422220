import type { Resource } from "./resource.ts";

/**
 * The one noun that travels through the house: a whole configuration, complete and frozen. `version` counts the commits of
 * the store that `epoch` names, without gaps, from 1. `hash` is the state hash of `resources` (see state-hash.ts): equal
 * states have equal hashes whatever the way they were reached. The order of `resources` is the document's and is for
 * people; what order means to routing is inside the specs.
 */
export interface Snapshot {
  readonly epoch: string;
  readonly version: number;
  readonly hash: bigint;
  readonly resources: readonly Resource[];
}
