import { type Change, difference } from "./difference.ts";
import { compareResources, inCanonicalOrder, type Resource, type ResourceRef, resourceKey } from "./resource.ts";
import { editSorted, lowerBound } from "./sorted-edit.ts";

/** What turns one state into another: resources that are there afterwards, and resources that are not. Nothing is in both. */
export interface Delta {
  readonly upserts: readonly Resource[];
  readonly removals: readonly ResourceRef[];
}

/** A delta of which every part changes something. */
export interface EffectiveDelta extends Delta {
  /** What it does, in canonical order. */
  readonly changes: readonly Change[];
  /** What was there before of what it changes or removes. */
  readonly replaced: readonly Resource[];
}

/** From the whole state `before` to the whole state `after`; each in any order. */
export function deltaBetween(before: readonly Resource[], after: readonly Resource[]): EffectiveDelta {
  const changes = difference(before, after);
  return {
    upserts: pick(after, changes, "removed"),
    removals: changes.filter(({ action }) => action === "removed").map(refOf),
    changes,
    replaced: pick(before, changes, "added"),
  };
}

/**
 * What of a delta changes the state, which is in canonical order. Costs what the delta is long, whatever the size of the
 * state. Where a resource is named twice the last upsert holds.
 */
export function effectiveDelta(state: readonly Resource[], { upserts, removals }: Delta): EffectiveDelta {
  const wanted = new Map<string, Resource | undefined>();
  const before = new Map<string, Resource>();
  const look = (ref: ResourceRef) => {
    const found = findResource(state, ref);
    if (found !== undefined) before.set(resourceKey(ref), found);
  };
  for (const removal of removals) {
    wanted.set(resourceKey(removal), undefined);
    look(removal);
  }
  for (const upsert of upserts) {
    wanted.set(resourceKey(upsert), upsert);
    look(upsert);
  }
  return deltaBetween(
    [...before.values()],
    [...wanted.values()].filter((resource) => resource !== undefined),
  );
}

/** The state after the delta, in canonical order as the one before. */
export function applyDelta(state: readonly Resource[], { upserts, removals }: Delta): Resource[] {
  const edits = [
    ...upserts.map((item) => ({ key: refOf(item), item })),
    ...removals.map((ref) => ({ key: refOf(ref), item: undefined })),
  ].sort((a, b) => compareResources(a.key, b.key));
  return editSorted(state, edits, compareResources);
}

/** One delta with the effect of several, in order. */
export function composeDeltas(deltas: readonly Delta[]): Delta {
  if (deltas.length === 1) return deltas[0]!;
  const last = new Map<string, { readonly upsert: Resource } | { readonly removal: ResourceRef }>();
  for (const { upserts, removals } of deltas) {
    for (const removal of removals) last.set(resourceKey(removal), { removal });
    for (const upsert of upserts) last.set(resourceKey(upsert), { upsert });
  }
  const edits = [...last.values()];
  return {
    upserts: edits.flatMap((edit) => ("upsert" in edit ? [edit.upsert] : [])),
    removals: edits.flatMap((edit) => ("removal" in edit ? [edit.removal] : [])),
  };
}

/** The resource in a state that is in canonical order. */
export function findResource(state: readonly Resource[], ref: ResourceRef): Resource | undefined {
  const found = state[lowerBound(state, ref, compareResources)];
  return found !== undefined && compareResources(found, ref) === 0 ? found : undefined;
}

/** The resources that changes speak of, those with the action `except` left out, in canonical order. */
function pick(resources: readonly Resource[], changes: readonly Change[], except: Change["action"]): Resource[] {
  const keys = new Set(changes.filter(({ action }) => action !== except).map(resourceKey));
  return keys.size === 0 ? [] : inCanonicalOrder(resources.filter((resource) => keys.has(resourceKey(resource))));
}

function refOf({ kind, id }: ResourceRef): ResourceRef {
  return { kind, id };
}
