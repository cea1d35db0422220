import { extname } from "node:path";
import type { Configuration } from "../config/configuration.ts";
import type { ConfigurationChange } from "../config/configuration-change.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger, Meter } from "../core/ports.ts";
import type { Service } from "../core/service.ts";
import { SharedNumbers } from "../sdk/shared-numbers.ts";
import { ConfigurationRefused } from "./configuration-refused.ts";
import { RouteSeries } from "./counters/route-series.ts";
import type { RouteSlots } from "./counters/route-slots.ts";
import { SharedState } from "./counters/shared-state.ts";
import { planListeners } from "./listener/listener-plan.ts";
import { registerProxyMetrics } from "./metrics.ts";
import { EventTotals } from "./plugin/event-counts.ts";
import {
  certificatesOf,
  type Latency,
  type ListenerCertificate,
  type ListenerStatus,
  listenersOf,
  type ProxyStatus,
  StatusReader,
} from "./proxy-status.ts";
import { CertificateRenewal } from "./tls/certificate-renewal.ts";
import { TargetDiscovery } from "./upstream/discovery/target-discovery.ts";
import { registerUpstreamMetrics } from "./upstream/upstream-metrics.ts";
import { UpstreamSupervision } from "./upstream/upstream-supervision.ts";
import type { LineSink } from "./worker/line-sink.ts";
import { type Memory, processMemory } from "./worker/memory-guard.ts";
import { MemoryWatch } from "./worker/memory-watch.ts";
import type { Plan, PlanChange } from "./worker/plan.ts";
import { WorkerSlot } from "./worker/worker-slot.ts";
import { WorkerLost } from "./worker/worker-thread.ts";

export interface SupervisorOptions {
  /** Threads that serve requests, at least 1. */
  readonly workers: number;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly clock: Clock;
  /** Where the lines of the access log go; without one they are not written. */
  readonly accessLog?: LineSink;
  /** What memory there is; another one than the process's is for tests. */
  readonly memory?: () => Memory;
  /** URLs of the modules whose plugins the workers run, in the order of running; each exports a plugin or a list of them. */
  readonly plugins?: readonly string[];
  /** The module that a worker runs; another one than the proxy's own is for tests. */
  readonly entry?: URL;
}

/** How long the phases of an apply took in the slowest worker, in milliseconds. */
export interface ApplyTimings {
  readonly compile: number;
  readonly listen: number;
  readonly swap: number;
}

/** A configuration that every worker has ready. Exactly one of its methods is to be called, once. */
export interface PreparedConfiguration {
  /** Puts it into effect, in every worker by swapping one reference. */
  commit(): Promise<ApplyTimings>;
  abort(): Promise<void>;
}

/** What every worker has ready. */
interface Preparation {
  /** As it was given, before targets were discovered. */
  readonly source: Configuration;
  readonly plan: Plan;
  readonly step: PlanChange | undefined;
  /** Routes that got a place to be counted in for it. */
  readonly newcomers: readonly string[];
}

/**
 * The proxy as the rest of the house sees it. Runs the workers, gives them configurations in two phases, so that one that
 * cannot be applied changes nothing anywhere, and knows how they are.
 */
export class Supervisor implements Service {
  readonly name = "proxy";
  /** What plugins counted. */
  readonly events = new EventTotals();
  readonly #state: SharedState;
  readonly #series: RouteSeries;
  readonly #routes: RouteSlots;
  readonly #slots: readonly WorkerSlot[];
  readonly #options: SupervisorOptions;
  readonly #renewal: CertificateRenewal;
  #inEffect: Plan | undefined;
  /** What is in effect, as it was given. */
  #source: Configuration | undefined;
  readonly #discovery: TargetDiscovery;
  /** While what was discovered is put into effect. */
  #rediscovery: Promise<void> = Promise.resolve();
  /** Callers whose configuration is being prepared. */
  #preparing = 0;
  #prepared: Preparation | undefined;
  readonly #memoryWatch: MemoryWatch;
  readonly upstreams: UpstreamSupervision;
  readonly #status: StatusReader;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#state = new SharedState(options.workers);
    this.#series = new RouteSeries(this.#state);
    this.#routes = this.#series.slots;
    const {
      accessLog,
      logger,
      clock,
      memory = processMemory,
      plugins = [],
      entry = new URL(`./worker/worker${extname(import.meta.url)}`, import.meta.url),
    } = options;
    this.#renewal = new CertificateRenewal({ clock, logger, renew: (plan) => this.#renew(plan) });
    const slotOf = (route: string) => this.#routes.slotOf(route);
    const shared = SharedNumbers.allocate();
    const { events } = this;
    this.#slots = this.#state.rows.map(
      (row, id) =>
        new WorkerSlot({ ...{ id, entry, row, slotOf, plugins, shared, events }, ...{ accessLog, logger, clock } }),
    );
    this.#status = new StatusReader(this.#state, this.#slots);
    this.upstreams = new UpstreamSupervision({ clock, logger });
    this.#discovery = new TargetDiscovery({ clock, logger, onRefreshed: () => this.#rediscover() });
    this.#memoryWatch = new MemoryWatch({
      ...{ clock, logger, memory },
      maxPercent: () => this.#inEffect?.configuration.settings.overload_protection.max_memory_percent ?? 0,
      tell: (isShort) => this.#state.setAll("isMemoryShort", isShort ? 1 : 0),
    });
  }

  async start(): Promise<void> {
    registerProxyMetrics(this.#options.meter, {
      state: this.#state,
      series: this.#series,
      workers: this.#slots,
      events: this.events,
      accessLog: this.#options.accessLog,
    });
    registerUpstreamMetrics(this.#options.meter, { watches: () => this.upstreams.watches });
    this.#renewal.start();
    this.#memoryWatch.start();
    try {
      await Promise.all(this.#slots.map((slot) => slot.start()));
    } catch (error) {
      await this.stop(AbortSignal.abort());
      throw error;
    }
  }

  /**
   * Compiles the configuration in every worker and opens its new listeners, while requests are served by the one in effect.
   * A prepared configuration that was neither committed nor aborted is aborted.
   * @param change how to come to it from the one in effect: then that is all the work, and all else is left alone
   * @throws ConfigurationRefused when it cannot be applied here; then nothing has changed anywhere.
   */
  async prepare(configuration: Configuration, change?: ConfigurationChange): Promise<PreparedConfiguration> {
    this.#preparing++;
    try {
      await this.#rediscovery;
      await this.#abort();
      const from = this.#inEffect;
      const isChange =
        from !== undefined && change !== undefined && change.from === this.#source && isContained(change);
      const { upstreams } = isChange ? change : configuration;
      await this.#discovery.learn(upstreams, configuration.settings.dns_resolver);
      if (!isChange) return await this.#prepare(configuration, await this.#plan(this.#discovery.expand(configuration)));
      const step = this.#discovery.expandChange(change, from.configuration);
      return await this.#prepare(configuration, await this.#planChange(from, step), { from, change: step });
    } finally {
      this.#preparing--;
    }
  }

  async #prepare(source: Configuration, plan: Plan, by?: Omit<PlanChange, "to">): Promise<PreparedConfiguration> {
    const step = by && { ...by, to: plan };
    const newcomers = this.#routes.assign((step?.change ?? plan.configuration).routes.map(({ id }) => id));
    const preparation: Preparation = { source, plan, step, newcomers };
    this.#prepared = preparation;
    const results = await Promise.allSettled(this.#slots.map((slot) => slot.prepare(plan, step)));
    const refused = results.filter((result) => result.status === "rejected");
    if (refused.length > 0) {
      await this.#abort();
      throw refusal(refused.map(({ reason }) => reason));
    }
    const phases = results.filter((result) => result.status === "fulfilled").map(({ value }) => value);
    const compile = Math.max(...phases.map(({ compileMs }) => compileMs));
    const listen = Math.max(...phases.map(({ listenMs }) => listenMs));
    return {
      commit: async () => ({ compile, listen, swap: await this.#commit(preparation) }),
      abort: async () => {
        if (this.#prepared === preparation) await this.#abort();
      },
    };
  }

  /** Goes on serving but closes each connection with its next answer; where the doors are closed, without new connections. */
  async drain({ isClosed }: { readonly isClosed: boolean }): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.drain({ isDraining: true, isClosed })));
  }

  async undrain(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.drain({ isDraining: false, isClosed: false })));
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#renewal.stop();
    this.#memoryWatch.stop();
    this.upstreams.stop();
    this.#discovery.stop();
    await Promise.all(this.#slots.map((slot) => slot.stop(deadline)));
  }

  listeners(): readonly ListenerStatus[] {
    return listenersOf(this.#inEffect);
  }

  /** What the listeners in effect show their clients. */
  certificates(): readonly ListenerCertificate[] {
    return certificatesOf(this.#inEffect);
  }

  status(): ProxyStatus {
    return this.#status.read(this.#inEffect);
  }

  /** Quantiles since the last call. */
  takeLatency(): Latency {
    return this.#status.takeLatency();
  }

  async #plan(configuration: Configuration): Promise<Plan> {
    const doors = await this.#planDoors(configuration);
    return { configuration, ...doors, shared: this.upstreams.share(configuration) };
  }

  /** Listeners and their files are looked at only where they may differ. */
  async #planChange(from: Plan, change: ConfigurationChange): Promise<Plan> {
    const { to } = change;
    const doors = from.configuration.listeners === to.listeners ? {} : await this.#planDoors(to);
    return { ...from, ...doors, configuration: to, shared: this.upstreams.shareChange(change, from.shared) };
  }

  async #planDoors(configuration: Configuration): Promise<Pick<Plan, "listeners" | "tls" | "tlsFiles">> {
    const { material: tls, paths: tlsFiles } = await this.#renewal.read(configuration);
    const listeners = await planListeners(configuration.listeners, this.#inEffect?.listeners ?? [], this.#slots.length);
    return { listeners, tls, tlsFiles };
  }

  async #commit(preparation: Preparation): Promise<number> {
    if (this.#prepared !== preparation) throw new Error("the configuration is not prepared any more");
    const { source, plan, step } = preparation;
    this.#prepared = undefined;
    this.#inEffect = plan;
    this.#source = source;
    const tookMs = await Promise.all(this.#slots.map((slot) => slot.commit(plan, step)));
    if (step === undefined) this.#keepRoutes();
    else this.#routes.release(step.change.removedRoutes);
    if (this.#inEffect !== plan) return Math.max(...tookMs);
    this.#discovery.follow(source);
    this.#renewal.follow(plan);
    this.upstreams.secure(plan.tls.upstream);
    if (step === undefined) this.upstreams.follow(plan.configuration, plan.shared);
    else this.upstreams.followChange(step.change, plan.shared);
    return Math.max(...tookMs);
  }

  async #renew(plan: Plan): Promise<void> {
    if (this.#inEffect?.configuration !== plan.configuration) return;
    this.#inEffect = plan;
    this.upstreams.secure(plan.tls.upstream);
    await Promise.all(this.#slots.map((slot) => slot.renew(plan)));
  }

  /** Whoever is preparing a configuration takes what was discovered along; what comes too late for it is found at the next look. */
  #rediscover(): void {
    const [source, from] = [this.#source, this.#inEffect];
    if (source === undefined || from === undefined || this.#preparing > 0 || this.#prepared !== undefined) return;
    const change = this.#discovery.change(source, from.configuration);
    if (change.upstreams.length === 0) return;
    this.#rediscovery = this.#planChange(from, change)
      .then((plan) => this.#prepare(source, plan, { from, change }))
      .then(({ commit }) => commit())
      .then(
        () => {},
        (error: unknown) =>
          this.#options.logger.error("Targets that were found could not be used", { reason: String(error) }),
      );
  }

  async #abort(): Promise<void> {
    if (this.#prepared === undefined) return;
    this.#routes.release(this.#prepared.newcomers);
    this.#prepared = undefined;
    await Promise.all(this.#slots.map((slot) => slot.abort()));
  }

  #keepRoutes(): void {
    this.#routes.keep((this.#inEffect?.configuration.routes ?? []).map(({ id }) => id));
  }
}

/** One refusal for those of all workers, which mostly say the same. */
function refusal(reasons: readonly unknown[]): unknown {
  const other = reasons.find((reason) => !(reason instanceof ConfigurationRefused) && !(reason instanceof WorkerLost));
  if (other !== undefined) return other;
  const problems = reasons.flatMap((reason) =>
    reason instanceof ConfigurationRefused
      ? reason.problems
      : [{ path: "", message: "a worker crashed while it prepared the configuration" }],
  );
  return new ConfigurationRefused([...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]);
}

/** Whether nothing is compiled differently that the change does not name. What an upstream says about plugins is compiled into its routes. */
function isContained({ from, upstreams }: ConfigurationChange): boolean {
  if (upstreams.length === 0) return true;
  const before = new Map(from.upstreams.map(({ id, plugins }) => [id, plugins]));
  return upstreams.every(({ id, plugins }) => JSON.stringify(before.get(id) ?? plugins) === JSON.stringify(plugins));
}
