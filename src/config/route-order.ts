import type { JsonObject } from "./json.ts";
import type { Resource } from "./resource.ts";

/*
 * The order of routes in a document decides only between routes of one path that fit a request equally well. So that a
 * state says the same whatever the order of everything else, a route keeps its rank among the routes of its path in the
 * internal field `order`, and only where there are several. Moving a route past routes of other paths changes nothing.
 */

/**
 * Equal for routes whose paths match the same requests: names of path parameters, escapes of characters that need none
 * (RFC 3986 §6.2.2) and slashes at the end of a prefix do not matter. Takes a spec as written or in running form.
 */
export function routePathKey(spec: { readonly path?: unknown; readonly path_prefix?: unknown }): string {
  const path = String(spec.path)
    .replace(/%[0-9A-Fa-f]{2}/g, unescapeUnreserved)
    .replace(/\{[^{}/]*\}/g, "{}");
  return spec.path_prefix === true ? `prefix ${path.replace(/\/+$/, "")}` : `exact ${path}`;
}

/** Writes the ranks into the specs of routes that are given in the order of their document. */
export function rankRoutes(resources: readonly Resource[]): Resource[] {
  const groups = groupByPath(resources);
  const ranks = new Map<Resource, number>();
  for (const group of groups) for (const [rank, route] of group.entries()) ranks.set(route, rank);
  return resources.map((resource) => {
    const order = ranks.get(resource);
    return order === undefined ? resource : { ...resource, spec: { ...resource.spec, order } };
  });
}

/**
 * Puts routes of one path into the order of their ranks, those without one last, each in a place that one of them had.
 */
export function inRouteOrder<Route extends { readonly order?: number | undefined }>(
  routes: readonly Route[],
  pathKey: (route: Route) => string,
): Route[] {
  const places = new Map<string, number[]>();
  for (const [place, route] of routes.entries()) {
    const key = pathKey(route);
    const group = places.get(key);
    if (group === undefined) places.set(key, [place]);
    else group.push(place);
  }
  const ordered = [...routes];
  for (const group of places.values()) {
    if (group.length === 1) continue;
    const members = group.map((place) => routes[place]!).sort(compareRanks);
    for (const [position, place] of group.entries()) ordered[place] = members[position]!;
  }
  return ordered;
}

function compareRanks(a: { readonly order?: number | undefined }, b: typeof a): number {
  if (a.order === b.order) return 0;
  return (a.order ?? Number.POSITIVE_INFINITY) - (b.order ?? Number.POSITIVE_INFINITY);
}

/** The spec without its rank, as a document has it. */
export function withoutRank({ order: _, ...spec }: JsonObject): JsonObject {
  return spec;
}

function unescapeUnreserved(octet: string): string {
  const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16));
  return /[\w.~-]/.test(character) ? character : octet.toUpperCase();
}

/** Groups of two and more. */
function groupByPath(resources: readonly Resource[]): Resource[][] {
  const routes = resources.filter(({ kind }) => kind === "route");
  return [...Map.groupBy(routes, ({ spec }) => routePathKey(spec)).values()].filter((group) => group.length > 1);
}
