import type { Configuration } from "../../config/configuration.ts";
import type { AccessLogSettings } from "../../config/resources/access-log.ts";
import type { Route } from "../../config/resources/route.ts";
import type { Settings } from "../../config/resources/settings.ts";
import type { Target, Upstream } from "../../config/resources/upstream.ts";
import { ConfigurationRefused } from "../configuration-refused.ts";
import { OTHER_ROUTES } from "../counters/route-slots.ts";
import { TrustedProxies } from "../exchange/trusted-proxies.ts";
import { type ListenerSettings, listenerSettingsOf } from "../listener/listener-settings.ts";
import { CompiledUpstreamTls } from "../tls/compiled-upstream-tls.ts";
import type { UpstreamTls } from "../tls/tls-material.ts";
import { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { SharedUpstreams } from "../upstream/health/shared-upstream.ts";
import { Http1Pool } from "../upstream/http1-pool.ts";
import { Http2Pool } from "../upstream/http2-pool.ts";
import type { PoolEnvironment, PoolLimits, UpstreamPool } from "../upstream/upstream-pool.ts";
import { routeKey, upstreamKey, upstreamSettingsOf } from "../upstream/upstream-settings.ts";
import { AccessLogPolicy } from "./access-log-policy.ts";
import { CompiledRoute } from "./compiled-route.ts";
import { Router } from "./router.ts";

/**
 * A configuration in the form that requests are served from. It is made beside the one in use, in slices, and takes over from it:
 * a pool whose target is still named and an upstream that is the same are the very objects of the predecessor, so their connections
 * and positions go on. Until `activate` nothing of the predecessor is touched.
 */
export class CompiledConfiguration {
  readonly router = new Router<CompiledRoute>();
  readonly trustedProxies: TrustedProxies;
  /** By the listener's id. */
  readonly listeners: ReadonlyMap<string, ListenerSettings>;
  /** Of requests that no route matches. */
  readonly accessLog: AccessLogPolicy | undefined;
  /** How late the event loop may be; 0 means any time. */
  readonly maxEventLoopLagMs: number;
  /** What an answer for overload tells clients to wait. */
  readonly retryAfterSeconds: number;
  readonly #accessLogSettings: AccessLogSettings;
  readonly #poolLimits: PoolLimits;
  #upstreamTls: CompiledUpstreamTls;
  #previous: CompiledConfiguration | undefined;
  readonly #environment: PoolEnvironment;
  /** By the origin of the target's URL and the protocol that is spoken. */
  readonly pools = new Map<string, UpstreamPool>();
  /** By the owner's kind and id. */
  readonly upstreams = new Map<string, CompiledUpstream>();
  #routes = 0;

  constructor(
    { settings, listeners }: Pick<Configuration, "settings" | "listeners">,
    upstreamTls: UpstreamTls,
    previous: CompiledConfiguration | undefined,
    environment: PoolEnvironment,
  ) {
    this.trustedProxies = new TrustedProxies(settings.trusted_proxies.cidrs);
    this.listeners = new Map(listeners.map((listener) => [listener.id, listenerSettingsOf(listener)]));
    this.maxEventLoopLagMs = settings.overload_protection.max_event_loop_lag;
    this.retryAfterSeconds = Math.ceil(settings.overload_protection.retry_after / 1_000);
    this.#accessLogSettings = settings.access_log;
    this.accessLog = AccessLogPolicy.of(settings.access_log);
    this.#poolLimits = poolLimitsOf(settings);
    this.#upstreamTls = compileOnce(upstreamTls, previous === undefined ? undefined : previous.#upstreamTls);
    this.#previous = previous;
    this.#environment = environment;
  }

  /** @param shared what workers know together of some of them, by key */
  addUpstreams(upstreams: readonly Upstream[], shared: SharedUpstreams): void {
    for (const upstream of upstreams) this.#addUpstream(upstreamKey(upstream), upstream, shared);
  }

  /** Upstreams that the routes name have to be there before. */
  addRoutes(routes: readonly Route[], slots: readonly number[], shared: SharedUpstreams): void {
    for (const [index, route] of routes.entries()) {
      const slot = slots[index] ?? OTHER_ROUTES.slot;
      const accessLog = AccessLogPolicy.of(this.#accessLogSettings, route.access_log);
      this.router.add(new CompiledRoute(route, this.#upstreamOf(route, shared), { slot, accessLog }));
      this.#routes++;
    }
  }

  /** Takes over from the predecessor and lets go of it. */
  activate(): void {
    for (const pool of this.pools.values()) {
      pool.limits = this.#poolLimits;
      pool.secure(this.#upstreamTls);
    }
    for (const [key, pool] of this.#previous?.pools ?? []) if (this.pools.get(key) !== pool) pool.retire();
    this.#previous = undefined;
  }

  /** Other files for what is in effect. */
  renew(upstreamTls: UpstreamTls): void {
    this.#upstreamTls = compileOnce(upstreamTls, this.#upstreamTls);
    for (const pool of this.pools.values()) pool.secure(this.#upstreamTls);
  }

  #upstreamOf(route: Route, shared: SharedUpstreams): CompiledUpstream {
    if (route.upstream === undefined) return this.#addUpstream(routeKey(route), route, shared);
    const known = this.upstreams.get(upstreamKey({ id: route.upstream }));
    if (known === undefined) {
      const path = `routes[${this.#routes}].upstream`;
      const message = `there is no upstream ${route.upstream}`;
      throw new ConfigurationRefused([{ kind: "route", id: route.id, path, message }]);
    }
    return known;
  }

  #addUpstream(key: string, owner: Upstream | Route, shared: SharedUpstreams): CompiledUpstream {
    const plan = { settings: upstreamSettingsOf(owner), shared: shared.get(key) };
    const upstream = CompiledUpstream.of(plan, this.#previous?.upstreams.get(key), {
      poolOf: (target) => this.#poolOf(target),
      random: Math.random,
      nowMs: () => this.#environment.sweep.nowMs,
    });
    this.upstreams.set(key, upstream);
    return upstream;
  }

  #poolOf({ url, http2 }: Target): UpstreamPool {
    const { origin } = new URL(url);
    const key = http2 ? `${origin} HTTP/2` : origin;
    let pool = this.pools.get(key);
    if (pool === undefined) {
      pool = this.#previous?.pools.get(key) ?? this.#newPool(origin, http2);
      this.pools.set(key, pool);
    }
    return pool;
  }

  #newPool(origin: string, http2: boolean): UpstreamPool {
    const Pool = http2 ? Http2Pool : Http1Pool;
    const pool = new Pool(origin, this.#poolLimits, this.#environment);
    pool.secure(this.#upstreamTls);
    return pool;
  }
}

/** The same object as long as the same files say the same, so that pools can tell whether their connections may stay. */
function compileOnce(material: UpstreamTls, previous: CompiledUpstreamTls | undefined): CompiledUpstreamTls {
  return previous?.fingerprint === material.fingerprint ? previous : new CompiledUpstreamTls(material);
}

function poolLimitsOf({ transport }: Settings): PoolLimits {
  return {
    maxIdle: transport.max_idle_conns_per_host,
    maxConnections: transport.max_conns_per_host,
    maxStreams: transport.max_streams_per_conn,
    pingIntervalMs: transport.http2_ping_interval,
    idleTimeoutMs: transport.idle_conn_timeout,
    dialTimeoutMs: transport.dial_timeout,
    handshakeTimeoutMs: transport.tls_handshake_timeout,
  };
}
