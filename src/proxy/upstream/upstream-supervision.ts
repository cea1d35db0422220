import type { Configuration } from "../../config/configuration.ts";
import type { ConfigurationChange } from "../../config/configuration-change.ts";
import type { Route } from "../../config/resources/route.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import { CompiledUpstreamTls } from "../tls/compiled-upstream-tls.ts";
import type { UpstreamTls } from "../tls/tls-material.ts";
import { isShared, type SharedUpstream, type SharedUpstreams } from "./health/shared-upstream.ts";
import { TargetState } from "./health/target-state.ts";
import { UpstreamState } from "./health/upstream-state.ts";
import { type UpstreamStatus, upstreamStatus } from "./health/upstream-status.ts";
import { UpstreamWatch } from "./health/upstream-watch.ts";
import type { WatchEnvironment } from "./health/watch-environment.ts";
import { RetryBudget } from "./resilience/retry-budget.ts";
import { RetryBudgetWatch } from "./resilience/retry-budget-watch.ts";
import { asksForRetries } from "./resilience/retry-policy.ts";
import {
  ownersOfTargets,
  retryKey,
  routeKey,
  type UpstreamSettings,
  upstreamKey,
  upstreamSettingsOf,
} from "./upstream-settings.ts";

const LOOK_INTERVAL_MS = 50;

export interface UpstreamSupervisionOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/**
 * What a node does once for all its workers about upstreams: gives them memory to know targets together, asks targets how they are,
 * and does what takes time. An upstream that a change of configuration does not touch is watched on as if nothing had happened.
 */
export class UpstreamSupervision {
  readonly #logger: Logger;
  readonly #environment: WatchEnvironment;
  #watches = new Map<string, UpstreamWatch>();
  /** Of routes. */
  #budgets = new Map<string, RetryBudgetWatch>();
  #tls: CompiledUpstreamTls | undefined;
  #cancel: (() => void) | undefined;

  constructor({ clock, logger, random = Math.random }: UpstreamSupervisionOptions) {
    this.#logger = logger;
    this.#environment = { clock, random, tls: () => this.#tls! };
  }

  /** All that is watched, by the key of who has the targets. */
  get watches(): ReadonlyMap<string, UpstreamWatch> {
    return this.#watches;
  }

  /** What is known of the targets of who has this key; undefined where they are not watched. */
  status(key: string): UpstreamStatus | undefined {
    const watch = this.#watches.get(key);
    return watch && upstreamStatus(watch);
  }

  /** The memory for what is not in effect yet: that of what is in effect where it names the same targets. */
  share(owners: Pick<Configuration, "upstreams" | "routes">): SharedUpstreams {
    const shared = new Map<string, SharedUpstream>();
    for (const [key, owner] of ownersOfTargets(owners))
      if (isShared(owner)) shared.set(key, this.#shareOne(key, upstreamSettingsOf(owner)));
    for (const route of owners.routes)
      if (asksForRetries(route.retry_policy)) {
        const memory = this.#budgets.get(retryKey(route))?.budget.memory ?? RetryBudget.memory();
        shared.set(retryKey(route), { upstream: memory, targets: new Map() });
      }
    return shared;
  }

  /** The memory after a change, which is that of before where the change is about nothing that is known together. */
  shareChange(change: ConfigurationChange, before: SharedUpstreams): SharedUpstreams {
    const shared = this.share(change);
    const gone = keysOf(change).filter((key) => before.has(key) && !shared.has(key));
    if (shared.size === 0 && gone.length === 0) return before;
    const after = new Map([...before, ...shared]);
    for (const key of gone) after.delete(key);
    return after;
  }

  /** The configuration is in effect; `secure` was told of its files. */
  follow(configuration: Configuration, shared: SharedUpstreams): void {
    const before = this.#watches;
    this.#watches = new Map();
    for (const [key, owner] of ownersOfTargets(configuration)) {
      const memory = shared.get(key);
      if (memory !== undefined)
        this.#watches.set(key, this.#watch(key, upstreamSettingsOf(owner), memory, before.get(key)));
    }
    for (const [key, watch] of before) if (!this.#watches.has(key)) watch.stop();
    const budgets = this.#budgets;
    this.#budgets = new Map();
    for (const route of configuration.routes) this.#putBudget(route, shared, budgets.get(retryKey(route)));
    if (this.#cancel === undefined) this.#look();
  }

  /** The change is in effect. What it does not name is watched on without having been looked at. */
  followChange(change: ConfigurationChange, shared: SharedUpstreams): void {
    const owners = new Map(ownersOfTargets(change));
    for (const key of keysOf(change)) {
      const [before, owner, memory] = [this.#watches.get(key), owners.get(key), shared.get(key)];
      if (owner !== undefined && memory !== undefined)
        this.#watches.set(key, this.#watch(key, upstreamSettingsOf(owner), memory, before));
      else if (this.#watches.delete(key)) before?.stop();
    }
    for (const id of change.removedRoutes) this.#budgets.delete(retryKey({ id }));
    for (const route of change.routes) this.#putBudget(route, shared, this.#budgets.get(retryKey(route)));
    if (this.#cancel === undefined) this.#look();
  }

  /** Other files for what is in effect. */
  secure(tls: UpstreamTls): void {
    if (this.#tls?.fingerprint !== tls.fingerprint) this.#tls = new CompiledUpstreamTls(tls);
  }

  stop(): void {
    this.#cancel?.();
    for (const watch of this.#watches.values()) watch.stop();
    this.#watches = new Map();
    this.#budgets = new Map();
  }

  #putBudget(route: Route, shared: SharedUpstreams, before: RetryBudgetWatch | undefined): void {
    const { retry_policy } = route;
    const memory = shared.get(retryKey(route))?.upstream;
    if (memory === undefined || retry_policy === undefined) {
      this.#budgets.delete(retryKey(route));
      return;
    }
    const { window } = retry_policy.budget;
    const nowMs = this.#environment.clock.monotonicMs();
    const budget = new RetryBudget(memory, retry_policy.budget);
    const watch = before?.windowMs === window ? before : new RetryBudgetWatch(budget, window, nowMs);
    this.#budgets.set(retryKey(route), watch);
  }

  #shareOne(key: string, { backends }: UpstreamSettings): SharedUpstream {
    const known = this.#watches.get(key)?.shared;
    return {
      upstream: known?.upstream ?? UpstreamState.create().memory,
      targets: new Map(backends.map(({ url }) => [url, known?.targets.get(url) ?? TargetState.create().memory])),
    };
  }

  #watch(key: string, settings: UpstreamSettings, shared: SharedUpstream, previous: UpstreamWatch | undefined) {
    if (previous !== undefined && JSON.stringify(previous.settings) === JSON.stringify(settings)) return previous;
    const watch = new UpstreamWatch({
      key,
      settings,
      shared,
      previous,
      logger: this.#logger,
      environment: this.#environment,
    });
    watch.start();
    return watch;
  }

  /** Rests while there is nothing to watch. */
  #look(): void {
    this.#cancel = undefined;
    if (this.#watches.size === 0 && this.#budgets.size === 0) return;
    for (const watch of this.#watches.values()) watch.look();
    const nowMs = this.#environment.clock.monotonicMs();
    for (const budget of this.#budgets.values()) budget.look(nowMs);
    this.#cancel = this.#environment.clock.after(LOOK_INTERVAL_MS, () => this.#look());
  }
}

/** Of all that a change may have put in or taken away. */
function keysOf({ upstreams, routes, removedUpstreams, removedRoutes }: ConfigurationChange): string[] {
  return [
    ...upstreams.map(upstreamKey),
    ...removedUpstreams.map((id) => upstreamKey({ id })),
    ...routes.map(routeKey),
    ...removedRoutes.map((id) => routeKey({ id })),
    ...routes.map(retryKey),
    ...removedRoutes.map((id) => retryKey({ id })),
  ];
}
