import { type Delta, findResource } from "./delta.ts";
import { type Resource, resourceKey } from "./resource.ts";
import { routePathKey, withoutRank } from "./route-order.ts";
import type { RoutePaths } from "./route-paths.ts";

/**
 * The delta with the ranks that a document would give to the routes of the paths that it touches (see route-order.ts): a route
 * keeps its place among those of its path, a new one comes last. So a state has the same hash whether it came as a document
 * or one resource after the other.
 * @param state in canonical order
 * @param paths of the state before, whichever that was
 */
export function rankDelta(state: readonly Resource[], delta: Delta, paths: RoutePaths): Delta {
  const isRoute = ({ kind }: { readonly kind: string }) => kind === "route";
  const routes = delta.upserts.filter(isRoute);
  if (routes.length === 0 && !delta.removals.some(isRoute)) return delta;
  paths.follow(state);
  const named = [...delta.removals, ...delta.upserts].filter(isRoute);
  const gone = new Set(named.map(({ id }) => id));
  const replaced = routesOf(state, gone);
  const touched = new Set([...routes, ...replaced].map(({ spec }) => routePathKey(spec)));
  const places = new Map(replaced.map((route) => [resourceKey(route), route]));
  const beside = [...touched].flatMap((key) => paths.idsOf(key)).filter((id) => !gone.has(id));
  const staying = routesOf(state, beside);
  const placed = [
    ...staying.map((route) => ({ route, place: rankOf(route) })),
    ...routes.map((route) => ({ route, place: placeOf(route, places.get(resourceKey(route))) })),
  ];
  const groups = Map.groupBy(placed, ({ route }) => routePathKey(route.spec));
  const ranked = [...groups.values()].flatMap((group) => {
    // Stable: of those without a place the order is that of the delta.
    const ordered = group.toSorted((a, b) => a.place - b.place);
    return ordered.map(({ route }, rank) => withRank(route, ordered.length > 1 ? rank : undefined));
  });
  return { upserts: [...delta.upserts.filter((upsert) => !isRoute(upsert)), ...ranked], removals: delta.removals };
}

/** Those that are there. */
function routesOf(state: readonly Resource[], ids: Iterable<string>): Resource[] {
  return Array.from(ids, (id) => findResource(state, { kind: "route", id })).filter((route) => route !== undefined);
}

function placeOf(route: Resource, before: Resource | undefined): number {
  const stays = before !== undefined && routePathKey(before.spec) === routePathKey(route.spec);
  return stays ? rankOf(before) : Number.MAX_SAFE_INTEGER;
}

function rankOf({ spec: { order } }: Resource): number {
  return typeof order === "number" ? order : 0;
}

function withRank(route: Resource, order: number | undefined): Resource {
  return { ...route, spec: order === undefined ? withoutRank(route.spec) : { ...withoutRank(route.spec), order } };
}
