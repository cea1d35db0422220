import { canonicalJson, type Json } from "../json.ts";
import type { Route } from "../resources/route.ts";
import type { Condition } from "../resources/route-match.ts";
import { routePathKey } from "../route-order.ts";
import { type Check, problemOf } from "./check.ts";

const EVERY_METHOD = "*";

/**
 * No two routes answer the same requests with nothing to tell them apart: same path, same conditions, and a method in
 * common. A route for every method beside one for some methods is fine, since the one with methods is more specific.
 */
export const duplicateRoutes: Check = function* ({ routes }) {
  const owners = new Map<string, string>();
  for (const route of routes) {
    const requests = requestsOf(route);
    const reported = new Set<string>();
    for (const method of route.methods.length === 0 ? [EVERY_METHOD] : new Set(route.methods)) {
      const key = `${method} ${requests}`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, route.id);
      else if (!reported.has(owner)) {
        reported.add(owner);
        yield problemOf("route", route.id, "path", message(owner, route, method));
      }
    }
  }
};

/** Equal for routes that answer the same requests but for their methods. */
export function requestsOf(route: Route): string {
  const match = matchOf(route);
  const path = routePathKey(route);
  return match === NOTHING ? path : canonicalJson([path, match]);
}

function message(owner: string, { path }: Route, method: string): string {
  const requests = method === EVERY_METHOD ? path : `${method} ${path}`;
  return `the route "${owner}" answers ${requests} under the same conditions; remove one or tell them apart by match or methods`;
}

/** Most routes ask for nothing. */
const NOTHING: Json = [];

function matchOf({ match }: Route): Json {
  const { domains, headers, query, cookies, path_regex } = match;
  const isPlain = domains.length + headers.length + query.length + cookies.length === 0 && path_regex === undefined;
  if (isPlain) return NOTHING;
  return {
    domains: [...new Set(match.domains.map((domain) => domain.toLowerCase()))].sort(),
    headers: conditionsOf(match.headers, (name) => name.toLowerCase()),
    query: conditionsOf(match.query, (name) => name),
    cookies: conditionsOf(match.cookies, (name) => name),
    path: match.path_regex ?? null,
  };
}

function conditionsOf(conditions: readonly Condition[], normalise: (name: string) => string): Json {
  return conditions
    .map(({ name, value, present, regex }) =>
      canonicalJson([normalise(name), value ?? null, present ?? null, regex ?? null]),
    )
    .sort();
}
