import type { CompiledRoute, RoutedRequest } from "./compiled-route.ts";

/** The routes of one path: those of the exact host come first, then wildcards from the longest, then those of any host. */
export class RouteBucket {
  #byHost: Map<string, CompiledRoute[]> | undefined;
  /** By what follows the asterisk, `.example.com`. */
  #byWildcard: Map<string, CompiledRoute[]> | undefined;
  readonly #anyHost: CompiledRoute[] = [];

  add(route: CompiledRoute): void {
    if (route.domains.length === 0) insert(this.#anyHost, route);
    for (const domain of route.domains) {
      if (domain.startsWith("*")) {
        this.#byWildcard ??= new Map();
        insert(listOf(this.#byWildcard, domain.slice(1)), route);
      } else {
        this.#byHost ??= new Map();
        insert(listOf(this.#byHost, domain), route);
      }
    }
  }

  /** The best route for the request. Routes that fit but for the method leave their methods in `otherMethods`. */
  find(request: RoutedRequest, otherMethods: string[]): CompiledRoute | undefined {
    if (this.#byHost === undefined && this.#byWildcard === undefined)
      return first(this.#anyHost, request, otherMethods);
    const host = hostName(request.host);
    return (
      first(this.#byHost?.get(host), request, otherMethods) ??
      this.#findWildcard(host, request, otherMethods) ??
      first(this.#anyHost, request, otherMethods)
    );
  }

  #findWildcard(host: string, request: RoutedRequest, otherMethods: string[]): CompiledRoute | undefined {
    if (this.#byWildcard === undefined) return undefined;
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const route = dot === 0 ? undefined : first(this.#byWildcard.get(host.slice(dot)), request, otherMethods);
      if (route !== undefined) return route;
    }
    return undefined;
  }
}

/** Lower case, without port and without the root's dot. */
function hostName(host: string): string {
  return host.toLowerCase().replace(/\.?(?::\d*)?$/, "");
}

function first(
  routes: readonly CompiledRoute[] | undefined,
  request: RoutedRequest,
  otherMethods: string[],
): CompiledRoute | undefined {
  if (routes === undefined) return undefined;
  for (const route of routes) {
    if (!route.meetsConditions(request)) continue;
    if (route.answersMethod(request.method)) return route;
    otherMethods.push(...route.answeredMethods);
  }
  return undefined;
}

function listOf(lists: Map<string, CompiledRoute[]>, key: string): CompiledRoute[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/** Keeps the list sorted: the more specific first, then in the order of the document. */
function insert(routes: CompiledRoute[], route: CompiledRoute): void {
  let low = 0;
  let high = routes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (goesBefore(route, routes[middle]!)) high = middle;
    else low = middle + 1;
  }
  routes.splice(low, 0, route);
}

function goesBefore(route: CompiledRoute, other: CompiledRoute): boolean {
  return route.specificity === other.specificity ? route.order < other.order : route.specificity > other.specificity;
}
