import type { RequestFacts } from "./request-facts.ts";
import { RouteList } from "./route-list.ts";
import type { RouteMatcher } from "./route-matcher.ts";
import { StringTable } from "./string-table.ts";

/** The routes of one path. One alone that answers any host, as most are, stands for itself, so that there is nothing between. */
export type RoutesOfPath<Matcher extends RouteMatcher> = Matcher | RouteBucket<Matcher>;

export function withRoute<Matcher extends RouteMatcher>(
  routes: RoutesOfPath<Matcher> | undefined,
  route: Matcher,
): RoutesOfPath<Matcher> {
  if (routes === undefined && route.domains.length === 0) return route;
  const bucket = routes instanceof RouteBucket ? routes : new RouteBucket<Matcher>();
  if (routes !== undefined && routes !== bucket) bucket.add(routes as Matcher);
  bucket.add(route);
  return bucket;
}

/** Undefined where it was the last. */
export function withoutRoute<Matcher extends RouteMatcher>(
  routes: RoutesOfPath<Matcher> | undefined,
  route: Matcher,
): RoutesOfPath<Matcher> | undefined {
  if (!(routes instanceof RouteBucket)) return routes === route ? undefined : routes;
  routes.remove(route);
  return routes.isEmpty ? undefined : routes;
}

/** Routes of one path: those of the exact host come first, then wildcards from the longest, then those of any host. */
class RouteBucket<Matcher extends RouteMatcher> {
  #byHost: StringTable<RouteList<Matcher>> | undefined;
  /** By what follows the asterisk, `.example.com`. */
  #byWildcard: StringTable<RouteList<Matcher>> | undefined;
  /** No wildcard is longer, so that a host of many labels is not looked up under each of them. */
  #longestWildcard = 0;
  #anyHost: RouteList<Matcher> | undefined;

  get isEmpty(): boolean {
    return this.#byHost === undefined && this.#byWildcard === undefined && this.#anyHost === undefined;
  }

  add(route: Matcher): void {
    if (route.domains.length === 0) {
      this.#anyHost ??= new RouteList();
      this.#anyHost.add(route);
    }
    for (const domain of route.domains) this.#listOf(domain).add(route);
  }

  remove(route: Matcher): void {
    this.#anyHost?.remove(route);
    if (this.#anyHost?.isEmpty) this.#anyHost = undefined;
    for (const domain of route.domains) {
      const hosts = isWildcard(domain) ? this.#byWildcard : this.#byHost;
      const list = hosts?.get(hostKey(domain));
      list?.remove(route);
      if (list?.isEmpty) hosts?.delete(hostKey(domain));
    }
    if (this.#byHost?.size === 0) this.#byHost = undefined;
    if (this.#byWildcard?.size === 0) this.#byWildcard = undefined;
  }

  /** The best route for the request. Routes that fit but for the method leave their methods in `otherMethods`. */
  find(facts: RequestFacts, otherMethods: string[]): Matcher | undefined {
    return (
      this.#byHost?.get(facts.hostName)?.find(facts, otherMethods) ??
      this.#findWildcard(facts, otherMethods) ??
      this.#anyHost?.find(facts, otherMethods)
    );
  }

  #listOf(domain: string): RouteList<Matcher> {
    if (!isWildcard(domain)) {
      this.#byHost ??= new StringTable();
      return listIn(this.#byHost, domain);
    }
    this.#byWildcard ??= new StringTable();
    this.#longestWildcard = Math.max(this.#longestWildcard, hostKey(domain).length);
    return listIn(this.#byWildcard, hostKey(domain));
  }

  #findWildcard(facts: RequestFacts, otherMethods: string[]): Matcher | undefined {
    if (this.#byWildcard === undefined) return undefined;
    const host = facts.hostName;
    const start = Math.max(1, host.length - this.#longestWildcard);
    for (let dot = host.indexOf(".", start); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const route = this.#byWildcard.get(host, dot)?.find(facts, otherMethods);
      if (route !== undefined) return route;
    }
    return undefined;
  }
}

function listIn<Matcher extends RouteMatcher>(hosts: StringTable<RouteList<Matcher>>, key: string): RouteList<Matcher> {
  const list = hosts.get(key) ?? new RouteList<Matcher>();
  hosts.set(key, list);
  return list;
}

function isWildcard(domain: string): boolean {
  return domain.startsWith("*");
}

function hostKey(domain: string): string {
  return isWildcard(domain) ? domain.slice(1) : domain;
}
