import type { Route } from "../../config/resources/route.ts";
import type { Upstream } from "../../config/resources/upstream.ts";
import { ConfigurationRefused } from "../configuration-refused.ts";
import { OTHER_ROUTES } from "../counters/route-slots.ts";
import type { PluginSet } from "../plugin/plugin-set.ts";
import { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { SharedUpstreams } from "../upstream/health/shared-upstream.ts";
import { RetryPolicy } from "../upstream/resilience/retry-policy.ts";
import type { PoolEnvironment, UpstreamPool } from "../upstream/upstream-pool.ts";
import { poolKey, type UpstreamPools } from "../upstream/upstream-pools.ts";
import { retryKey, routeKey, upstreamKey, upstreamSettingsOf } from "../upstream/upstream-settings.ts";
import { CompiledRoute } from "./compiled-route.ts";
import type { RouteHandlings } from "./route-handlings.ts";
import type { RouteTable, TableEdits, UpstreamPlace } from "./route-table.ts";

/** What routes and upstreams are compiled with. */
export interface CompilationTerms {
  readonly handlings: RouteHandlings;
  readonly pools: UpstreamPools;
  readonly plugins: PluginSet;
  readonly environment: PoolEnvironment;
}

/** Edits of a table, compiled beside it, slice by slice. Until they are applied nobody notices. */
export class TableDraft implements TableEdits {
  readonly upstreams = new Map<string, UpstreamPlace | undefined>();
  readonly routes = new Map<string, CompiledRoute | undefined>();
  readonly #table: RouteTable;
  readonly #before: RouteTable;
  readonly #terms: CompilationTerms;

  /** @param before serves until the edits are applied: an upstream that is the same there is its very object */
  constructor(table: RouteTable, before: RouteTable, terms: CompilationTerms) {
    this.#table = table;
    this.#before = before;
    this.#terms = terms;
  }

  /** @param shared what workers know together of some of them, by key */
  putUpstreams(upstreams: readonly Upstream[], shared: SharedUpstreams): void {
    for (const upstream of upstreams) {
      this.#putUpstream(upstreamKey(upstream), upstream, shared);
      this.#terms.plugins.addUpstream(upstream);
    }
  }

  /** Upstreams that the routes name have to be there before. */
  putRoutes(routes: readonly Route[], slots: readonly number[], shared: SharedUpstreams): void {
    for (const [index, route] of routes.entries()) {
      const retry = retryPolicyOf(route, shared);
      const place = this.#placeFor(route, shared);
      const pipeline = this.#terms.plugins.pipelineOf(route);
      const handling = this.#terms.handlings.of(route, { place, pipeline, retry });
      this.routes.set(route.id, new CompiledRoute(route, slots[index] ?? OTHER_ROUTES.slot, handling));
    }
  }

  /** By id. */
  remove(upstreams: readonly string[], routes: readonly string[]): void {
    for (const id of upstreams) this.upstreams.set(upstreamKey({ id }), undefined);
    for (const id of routes) {
      this.#removeTargetsOf(id);
      this.routes.set(id, undefined);
    }
  }

  /** Puts the edits into the table. There are none any more. */
  apply(): void {
    this.#table.apply(this);
    this.#terms.plugins.apply(this);
    this.upstreams.clear();
    this.routes.clear();
  }

  /** Forgets the edits. */
  abandon(): void {
    this.#terms.plugins.forget();
    for (const place of this.upstreams.values()) for (const pool of place?.pools ?? []) this.#terms.pools.letGo(pool);
    this.upstreams.clear();
    this.routes.clear();
  }

  /** The place that lasts: a new upstream's own, or the one that the table has. */
  #placeFor(route: Route, shared: SharedUpstreams): UpstreamPlace {
    if (route.upstream === undefined) return this.#putUpstream(routeKey(route), route, shared);
    this.#removeTargetsOf(route.id);
    const key = upstreamKey({ id: route.upstream });
    const place = this.#table.place(key) ?? this.upstreams.get(key);
    if (place !== undefined) return place;
    const message = `there is no upstream ${route.upstream}`;
    throw new ConfigurationRefused([{ kind: "route", id: route.id, path: "upstream", message }]);
  }

  /** Those that a route had of its own. */
  #removeTargetsOf(route: string): void {
    const key = routeKey({ id: route });
    if (this.#table.place(key) !== undefined) this.upstreams.set(key, undefined);
  }

  #putUpstream(key: string, owner: Upstream | Route, shared: SharedUpstreams): UpstreamPlace {
    const { pools, environment } = this.#terms;
    const settings = upstreamSettingsOf(owner);
    const held = new Map<string, UpstreamPool>();
    for (const target of settings.backends) held.getOrInsertComputed(poolKey(target), () => pools.hold(target));
    const upstream = CompiledUpstream.of({ settings, shared: shared.get(key) }, this.#before.place(key)?.upstream, {
      sweep: environment.sweep,
      poolOf: (target) => held.get(poolKey(target))!,
      random: Math.random,
      nowMs: () => environment.sweep.nowMs,
    });
    const place = { upstream, pools: [...held.keys()] };
    this.upstreams.set(key, place);
    return this.#table.place(key) ?? place;
  }
}

function retryPolicyOf(route: Route, shared: SharedUpstreams): RetryPolicy | undefined {
  const memory = shared.get(retryKey(route))?.upstream;
  return memory && route.retry_policy && new RetryPolicy(route.retry_policy, memory);
}
