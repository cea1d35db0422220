import type { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { UpstreamPools } from "../upstream/upstream-pools.ts";
import type { CompiledRoute } from "./compiled-route.ts";
import { Router } from "./router.ts";

/** Pools that are let go at a time when a whole table goes. */
const SLICE = 256;

/** Where routes find their upstream: the place stays while what stands in it is replaced. */
export interface UpstreamPlace {
  upstream: CompiledUpstream;
  /** The keys of the pools that it holds. */
  pools: readonly string[];
}

/** What a change puts into a table, by key; undefined for what it takes out. */
export interface TableEdits {
  readonly upstreams: ReadonlyMap<string, UpstreamPlace | undefined>;
  readonly routes: ReadonlyMap<string, CompiledRoute | undefined>;
}

/**
 * The routes and upstreams that requests are served by. Edits cost what they are long, whatever the size of the table, and
 * between two turns of the event loop they are all there. What they do not name is not touched.
 */
export class RouteTable {
  readonly router = new Router<CompiledRoute>();
  readonly #routes = new Map<string, CompiledRoute>();
  readonly #places = new Map<string, UpstreamPlace>();
  readonly #pools: UpstreamPools;

  constructor(pools: UpstreamPools) {
    this.#pools = pools;
  }

  place(key: string): UpstreamPlace | undefined {
    return this.#places.get(key);
  }

  apply({ upstreams, routes }: TableEdits): void {
    for (const [key, place] of upstreams) this.#putUpstream(key, place);
    for (const [id, route] of routes) this.#putRoute(id, route);
  }

  /** Lets go of every pool, a few at a time, when the table serves nobody any more. */
  drop(): void {
    const places = this.#places.values();
    const letGoOfSome = () => {
      let left = SLICE;
      for (let step = places.next(); !step.done; step = places.next()) {
        this.#letGo(step.value);
        if (--left === 0) return void setImmediate(letGoOfSome);
      }
    };
    letGoOfSome();
  }

  #putUpstream(key: string, after: UpstreamPlace | undefined): void {
    const place = this.#places.get(key);
    if (place !== undefined) this.#letGo(place);
    if (after === undefined) this.#places.delete(key);
    else if (place === undefined) this.#places.set(key, after);
    else Object.assign(place, after);
  }

  #putRoute(id: string, route: CompiledRoute | undefined): void {
    const before = this.#routes.get(id);
    if (before !== undefined) this.router.remove(before);
    if (route === undefined) {
      this.#routes.delete(id);
      return;
    }
    this.#routes.set(id, route);
    this.router.add(route);
  }

  #letGo({ pools }: UpstreamPlace): void {
    for (const pool of pools) this.#pools.letGo(pool);
  }
}
