import type { Names } from "./checks/check.ts";
import { requestsOf } from "./checks/duplicate-routes.ts";
import type { Configuration } from "./configuration.ts";
import type { ConfigurationChange } from "./configuration-change.ts";
import type { Delta } from "./delta.ts";
import { Groups } from "./groups.ts";
import type { Language } from "./language.ts";
import type { ResourceRef } from "./resource.ts";
import type { Route } from "./resources/route.ts";

/** Which routes of a valid configuration a change has to be compared with. Follows each change that is made. */
export class RouteIndex {
  readonly #routes = new Map<string, Route>();
  readonly #upstreams: Set<string>;
  /** Ids of routes by the requests that they ask for, and by the upstreams that they and their plugins name. */
  readonly #byRequests = new Groups();
  readonly #byUpstream = new Groups();

  readonly #language: Language;

  private constructor(language: Language, upstreams: Iterable<string>) {
    this.#language = language;
    this.#upstreams = new Set(upstreams);
  }

  static of(language: Language, { routes, upstreams }: Configuration): RouteIndex {
    const index = new RouteIndex(
      language,
      upstreams.map(({ id }) => id),
    );
    for (const route of routes) index.#add(route);
    return index;
  }

  /** The configuration after the change, without what the change leaves as right as it was. */
  neighbourhood({ from, to, routes, upstreams, removedRoutes, removedUpstreams }: ConfigurationChange): Configuration {
    const near = new Map(routes.map((route) => [route.id, route]));
    const gone = new Set(removedRoutes);
    const add = (ids: Iterable<string>) => {
      for (const id of ids) if (!near.has(id) && !gone.has(id)) near.set(id, this.#routes.get(id)!);
    };
    for (const route of routes) add(this.#byRequests.of(requestsOf(route)));
    for (const upstream of removedUpstreams) add(this.#byUpstream.of(upstream));
    const [listeners, certificates] = from.listeners === to.listeners ? [[], []] : [to.listeners, to.certificates];
    const inOrder = [...near.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    return { ...to, listeners, certificates, routes: inOrder, upstreams, consumers: [] };
  }

  /** The names of upstreams after the change. */
  upstreamNames({ upserts, removals }: Delta): Names {
    const isUpstream = ({ kind }: ResourceRef) => kind === "upstream";
    const added = new Set(upserts.filter(isUpstream).map(({ id }) => id));
    const removed = new Set(removals.filter(isUpstream).map(({ id }) => id));
    const before = this.#upstreams;
    return {
      has: (id) => added.has(id) || (before.has(id) && !removed.has(id)),
      *[Symbol.iterator]() {
        for (const id of before) if (!removed.has(id)) yield id;
        yield* added.difference(before);
      },
    };
  }

  /** The change was made. */
  follow({ routes, upstreams, removedRoutes, removedUpstreams }: ConfigurationChange): void {
    for (const id of removedRoutes) this.#remove(id);
    for (const route of routes) {
      this.#remove(route.id);
      this.#add(route);
    }
    for (const id of removedUpstreams) this.#upstreams.delete(id);
    for (const { id } of upstreams) this.#upstreams.add(id);
  }

  #add(route: Route): void {
    this.#routes.set(route.id, route);
    this.#byRequests.add(requestsOf(route), route.id);
    for (const upstream of this.#upstreamsOf(route)) this.#byUpstream.add(upstream, route.id);
  }

  #remove(id: string): void {
    const route = this.#routes.get(id);
    if (route === undefined) return;
    this.#routes.delete(id);
    this.#byRequests.delete(requestsOf(route), id);
    for (const upstream of this.#upstreamsOf(route)) this.#byUpstream.delete(upstream, id);
  }

  #upstreamsOf({ upstream, plugins }: Route): Set<string> {
    const named = Array.from(this.#language.upstreamsNamedBy(plugins), (one) => one.upstream);
    return new Set(upstream === undefined ? named : [upstream, ...named]);
  }
}
