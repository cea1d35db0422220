import type { Consumer } from "../../config/resources/consumer.ts";
import type { Settings } from "../../config/resources/settings.ts";
import { TrustedProxies } from "../exchange/trusted-proxies.ts";
import type { PluginConfiguration } from "../plugin/plugin-directory.ts";
import type { PluginRuntime } from "../plugin/plugin-runtime.ts";
import { PluginSet } from "../plugin/plugin-set.ts";
import { CompiledUpstreamTls } from "../tls/compiled-upstream-tls.ts";
import type { UpstreamTls } from "../tls/tls-material.ts";
import type { PoolEnvironment, PoolLimits } from "../upstream/upstream-pool.ts";
import type { UpstreamPools } from "../upstream/upstream-pools.ts";
import { AccessLogPolicy } from "./access-log-policy.ts";
import { RouteHandlings } from "./route-handlings.ts";
import { RouteTable } from "./route-table.ts";
import { TableDraft } from "./table-draft.ts";

/**
 * A configuration in the form that requests are served from. A change of settings makes one beside the one in use, in slices, that takes
 * over from it; a change of routes and upstreams is put into the table of the one in use. Either way a pool whose target is still named
 * and an upstream that is the same are the very objects of before, so their connections and positions go on. Until `activate`
 * nothing in use is touched.
 */
export class CompiledConfiguration {
  readonly table: RouteTable;
  readonly trustedProxies: TrustedProxies;
  /** Of requests that no route matches. */
  readonly accessLog: AccessLogPolicy | undefined;
  /** How late the event loop may be; 0 means any time. */
  readonly maxEventLoopLagMs: number;
  /** What an answer for overload tells clients to wait. */
  readonly retryAfterSeconds: number;
  readonly #settings: Settings;
  readonly #handlings: RouteHandlings;
  readonly #pools: UpstreamPools;
  readonly #environment: PoolEnvironment;
  readonly #poolLimits: PoolLimits;
  #upstreamTls: CompiledUpstreamTls;
  readonly #plugins: PluginSet;

  constructor(
    settings: Settings,
    plugins: PluginConfiguration,
    upstreamTls: UpstreamTls,
    previous: CompiledConfiguration | undefined,
    {
      pools,
      environment,
    }: { readonly pools: UpstreamPools; readonly environment: PoolEnvironment & { readonly plugins: PluginRuntime } },
  ) {
    this.table = new RouteTable(pools);
    this.trustedProxies = new TrustedProxies(settings.trusted_proxies.cidrs);
    this.accessLog = AccessLogPolicy.of(settings.access_log);
    this.maxEventLoopLagMs = settings.overload_protection.max_event_loop_lag;
    this.retryAfterSeconds = Math.ceil(settings.overload_protection.retry_after / 1_000);
    this.#settings = settings;
    this.#handlings = new RouteHandlings(settings.access_log);
    this.#pools = pools;
    this.#environment = environment;
    this.#poolLimits = poolLimitsOf(settings);
    this.#upstreamTls = compileOnce(upstreamTls, previous === undefined ? undefined : previous.#upstreamTls);
    if (previous === undefined) this.#configurePools();
    this.#plugins = new PluginSet(environment.plugins, plugins, previous === undefined ? undefined : previous.#plugins);
  }

  get router(): RouteTable["router"] {
    return this.table.router;
  }

  /** What is in no log, see `PluginSet`. */
  get secrets(): Pick<PluginSet, "secretHeaders" | "secretParameters"> {
    return this.#plugins;
  }

  addConsumers(consumers: readonly Consumer[]): void {
    this.#plugins.addConsumers(consumers);
  }

  /** Edits of the table. @param before the table that serves meanwhile */
  draft(before = this.table): TableDraft {
    return new TableDraft(this.table, before, {
      handlings: this.#handlings,
      pools: this.#pools,
      plugins: this.#plugins,
      environment: this.#environment,
    });
  }

  /** Takes over from the predecessor and lets go of it. */
  activate(previous: CompiledConfiguration | undefined): void {
    this.#environment.names.configure(this.#settings.dns_resolver);
    this.#configurePools();
    this.#plugins.activate();
    previous?.table.drop();
  }

  /** It will never be activated. */
  abandon(): void {
    this.#plugins.abandon();
    this.table.drop();
  }

  /** Other files for what is in effect. */
  renew(upstreamTls: UpstreamTls): void {
    this.#upstreamTls = compileOnce(upstreamTls, this.#upstreamTls);
    this.#configurePools();
  }

  #configurePools(): void {
    this.#pools.configure({ limits: this.#poolLimits, tls: this.#upstreamTls });
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
