import { nearestName } from "../nearest-name.ts";
import type { PluginBlocks } from "../plugin-blocks.ts";
import { type Check, problemOf } from "./check.ts";

/** What a route says about authentication can come true: the methods exist and are configured for it. */
export const routeAuth: Check = function* ({ routes, upstreams, plugins, language: { authenticators } }) {
  const upstreamBlocks = new Map(upstreams.map((upstream) => [upstream.id, upstream.plugins]));
  for (const route of routes) {
    if (route.auth === undefined) continue;
    const places = [route.plugins, upstreamBlocks.get(route.upstream ?? ""), plugins];
    for (const [position, method] of route.auth.methods.entries())
      if (!isOn(method, places))
        yield problemOf("route", route.id, `auth.methods[${position}]`, missing(method, authenticators));
    if (route.auth.required && route.auth.methods.length === 0 && !authenticators.some((name) => isOn(name, places)))
      yield problemOf("route", route.id, "auth", nobody(authenticators));
  }
};

function nobody(authenticators: readonly string[]): string {
  return `no plugin that authenticates is configured for this route; there are ${authenticators.join(", ") || "none"}`;
}

function isOn(name: string, places: readonly (PluginBlocks | undefined)[]): boolean {
  return places.find((blocks) => blocks?.[name] !== undefined)?.[name]?.enabled === true;
}

function missing(method: string, authenticators: readonly string[]): string {
  if (authenticators.includes(method)) return `${method} is not configured for this route; add it here or at the top`;
  const nearest = nearestName(method, authenticators);
  return `${method} does not authenticate; ${nearest === undefined ? `there are ${authenticators.join(", ")}` : `did you mean ${nearest}?`}`;
}
