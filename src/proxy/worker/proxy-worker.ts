import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Problem } from "../../config/problem.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import { OctetBuffers } from "../../http/octet-buffers.ts";
import { Sweep } from "../../http/sweep.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { ConfigurationRefused } from "../configuration-refused.ts";
import type { WorkerCells } from "../counters/shared-state.ts";
import { AccessLog } from "../exchange/access-log.ts";
import { RequestIds } from "../exchange/request-ids.ts";
import { BoundListener } from "../listener/bound-listener.ts";
import { ConnectionCount } from "../listener/connection-count.ts";
import { explainListenError } from "../listener/listen-error.ts";
import { listenerSettingsOf } from "../listener/listener-settings.ts";
import { EventCounts } from "../plugin/event-counts.ts";
import { PluginRuntime } from "../plugin/plugin-runtime.ts";
import { CompiledConfiguration } from "../route/compiled-configuration.ts";
import type { TableDraft } from "../route/table-draft.ts";
import type { TlsMaterial } from "../tls/tls-material.ts";
import { NameResolver } from "../upstream/discovery/name-resolver.ts";
import { UpstreamPools } from "../upstream/upstream-pools.ts";
import type { Gateway } from "./gateway.ts";
import { LoopLagGuard } from "./loop-lag-guard.ts";
import { WorkerLogger } from "./worker-logger.ts";
import type { Command, Doors, Draining, PlannedListener, Post } from "./worker-protocol.ts";

const SWEEP_INTERVAL_MS = 50;
const LAG_RESOLUTION_MS = 20;
const LAG_WINDOW_SWEEPS = 20;

/** The plugins of a worker, and the memory that theirs shares with those of the others. */
export interface WorkerPlugins {
  readonly plugins: readonly Plugin[];
  readonly memory: SharedArrayBuffer;
}

interface Preparation {
  /** The one in effect where it is only changed. */
  readonly configuration: CompiledConfiguration;
  readonly draft: TableDraft;
  /** Undefined where the listeners stay as they are. */
  readonly doors: Doors | undefined;
  /** Listeners that are open but take no connections yet, by key. */
  readonly opened: Map<string, BoundListener>;
}

/** What runs in a worker thread: serves requests by the configuration it has, and does what the supervisor asks. */
export class ProxyWorker implements Gateway {
  readonly clock: Clock;
  readonly cells: WorkerCells;
  readonly logger: Logger;
  readonly accessLog: AccessLog;
  readonly sweep: Sweep;
  readonly buffers = new OctetBuffers();
  readonly names: NameResolver;
  isDraining = false;
  /** Whether no new connections are accepted, while draining. */
  #isClosed = false;
  isOverloaded = false;
  dateLine = "";
  readonly requestIds = new RequestIds();
  readonly plugins: PluginRuntime;
  readonly #events: EventCounts;
  readonly #index: number;
  readonly #post: Post;
  readonly #listeners = new Map<string, BoundListener>();
  /** Listeners that are gone but still have connections. */
  readonly #closing = new Set<BoundListener>();
  readonly #pools = new UpstreamPools(this);
  #configuration: CompiledConfiguration | undefined;
  #preparation: Preparation | undefined;
  /** The listeners in effect. */
  #planned: readonly PlannedListener[] = [];
  #stopped: (() => void) | undefined;
  #lag: ReturnType<typeof monitorEventLoopDelay> | undefined;
  #sweeps = 0;
  readonly #lagGuard = new LoopLagGuard();
  #lookedMs: number;

  constructor(index: number, clock: Clock, cells: WorkerCells, post: Post, { plugins, memory }: WorkerPlugins) {
    this.#index = index;
    this.clock = clock;
    this.cells = cells;
    this.logger = new WorkerLogger(clock, post);
    this.names = new NameResolver(clock, this.logger);
    this.accessLog = new AccessLog(clock, cells, post);
    this.sweep = new Sweep(clock, SWEEP_INTERVAL_MS, () => this.#afterSweep());
    this.#post = post;
    this.#events = new EventCounts(post);
    this.plugins = new PluginRuntime({ plugins, memory, events: this.#events, clock, logger: this.logger });
    this.#lookedMs = clock.monotonicMs();
  }

  get configuration(): CompiledConfiguration {
    if (this.#configuration === undefined) throw new Error("a request came before any configuration");
    return this.#configuration;
  }

  start(): void {
    this.#lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
    this.#lag.enable();
    this.#afterSweep();
    this.sweep.start();
    this.#post({ type: "ready" });
  }

  async handle(command: Command): Promise<void> {
    const startMs = this.clock.monotonicMs();
    const problems = await this.#do(command).catch((error: unknown) => {
      if (command.type === "commit") throw error; // Half a swap must not go on: the replacement makes a whole one.
      return problemsOf(error);
    });
    if (problems.length > 0) this.#post({ type: "refused", problems });
    else this.#post({ type: "done", tookMs: this.clock.monotonicMs() - startMs });
  }

  async #do(command: Command): Promise<readonly Problem[]> {
    switch (command.type) {
      case "begin":
        this.#begin(command);
        break;
      case "change":
        this.#change(command.doors);
        break;
      case "consumers":
        this.#preparation?.configuration.addConsumers(command.consumers);
        break;
      case "upstreams":
        this.#edit((draft) => draft.putUpstreams(command.upstreams, command.shared));
        break;
      case "routes":
        this.#edit((draft) => draft.putRoutes(command.routes, command.slots, command.shared));
        break;
      case "remove":
        this.#edit((draft) => draft.remove(command.upstreams, command.routes));
        break;
      case "listen":
        return this.#listen();
      case "commit":
        this.#commit();
        break;
      case "abort":
        this.#abort();
        break;
      case "renew":
        this.#renew(command.tls);
        break;
      case "drain":
        return this.#drain(command);
      case "stop":
        await this.#stop();
    }
    return [];
  }

  #begin({ settings, listeners, tls, plugins }: Extract<Command, { type: "begin" }>): void {
    this.#abort();
    const environment = { pools: this.#pools, environment: this };
    const configuration = new CompiledConfiguration(settings, plugins, tls.upstream, this.#configuration, environment);
    const draft = configuration.draft(this.#configuration?.table);
    this.#preparation = { configuration, draft, doors: { listeners, tls }, opened: new Map() };
  }

  #change(doors: Doors | undefined): void {
    this.#abort();
    const { configuration } = this;
    this.#preparation = { configuration, draft: configuration.draft(), doors, opened: new Map() };
  }

  #edit(edit: (draft: TableDraft) => void): void {
    if (this.#preparation === undefined) return;
    const { configuration, draft } = this.#preparation;
    edit(draft);
    // A table that serves nobody yet takes its edits at once, so that the commit finds little to do.
    if (configuration !== this.#configuration) draft.apply();
  }

  async #listen(): Promise<Problem[]> {
    const { doors, opened = new Map<string, BoundListener>() } = this.#preparation ?? {};
    const problems: Problem[] = [];
    for (const [index, { key, host, port, listener, counts }] of (doors?.listeners ?? []).entries()) {
      if (this.#listeners.has(key)) continue;
      const bound = new BoundListener(this, new ConnectionCount(counts, this.#index));
      try {
        await bound.bind(host, port);
        opened.set(key, bound);
      } catch (error) {
        problems.push(explainListenError(listener, index, error));
      }
    }
    return problems;
  }

  #commit(): void {
    const preparation = this.#preparation;
    if (preparation === undefined) return;
    const { configuration, draft, doors, opened } = preparation;
    const previous = this.#configuration;
    this.#preparation = undefined;
    draft.apply();
    if (configuration !== previous) {
      this.#configuration = configuration;
      configuration.activate(previous);
      this.#lagGuard.maxLagMs = configuration.maxEventLoopLagMs;
    }
    if (doors !== undefined) this.#open(doors, opened);
  }

  #open({ listeners, tls }: Doors, opened: ReadonlyMap<string, BoundListener>): void {
    this.#planned = listeners;
    for (const [key, bound] of opened) this.#listeners.set(key, bound);
    const kept = new Set(listeners.map(({ key }) => key));
    for (const [key, bound] of this.#listeners) if (!kept.has(key)) this.#close(key, bound);
    for (const { key, listener } of listeners)
      this.#listeners.get(key)?.configure(listenerSettingsOf(listener), tls.listeners.get(listener.id));
    if (this.#isClosed) for (const bound of this.#listeners.values()) bound.pause();
  }

  /** Closed doors open again with the others of the worker, and so does what was opened meanwhile. */
  async #drain({ isDraining, isClosed }: Draining): Promise<Problem[]> {
    this.isDraining = isDraining;
    this.#isClosed = isClosed;
    const problems: Problem[] = [];
    for (const [index, { key, host, port, listener }] of this.#planned.entries()) {
      const bound = this.#listeners.get(key);
      if (isClosed) bound?.pause();
      else
        await bound?.resume(host, port).catch((error: unknown) => {
          problems.push(explainListenError(listener, index, error));
        });
    }
    return problems;
  }

  #renew(tls: TlsMaterial): void {
    this.#configuration?.renew(tls.upstream);
    for (const { key, listener } of this.#planned) this.#listeners.get(key)?.renew(tls.listeners.get(listener.id));
  }

  #abort(): void {
    const preparation = this.#preparation;
    if (preparation === undefined) return;
    this.#preparation = undefined;
    for (const bound of preparation.opened.values()) bound.close();
    preparation.draft.abandon();
    if (preparation.configuration !== this.#configuration) preparation.configuration.abandon();
  }

  #close(key: string, bound: BoundListener): void {
    bound.close();
    this.#listeners.delete(key);
    this.#closing.add(bound);
  }

  #stop(): Promise<void> {
    this.#abort();
    this.isDraining = true;
    for (const [key, bound] of this.#listeners) this.#close(key, bound);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stopped = resolve;
    return promise;
  }

  #afterSweep(): void {
    this.#lookForOverload();
    this.dateLine = `Date: ${new Date(this.clock.now()).toUTCString()}\r\n`;
    for (const bound of this.#closing) {
      // A sweep after the last accept, so that a request that was already on its way is answered.
      if (this.#stopped !== undefined) bound.closeIdle();
      if (bound.connections === 0) this.#closing.delete(bound);
    }
    if (this.#closing.size === 0 && this.#stopped !== undefined) {
      this.#flush();
      this.#stopped();
    }
    if (++this.#sweeps % LAG_WINDOW_SWEEPS !== 0) return;
    this.#reportLag();
    this.#flush();
  }

  #flush(): void {
    this.accessLog.flush();
    this.#events.flush();
  }

  #lookForOverload(): void {
    const nowMs = this.clock.monotonicMs();
    const lagMs = nowMs - this.#lookedMs - SWEEP_INTERVAL_MS;
    this.#lookedMs = nowMs;
    if (this.#lagGuard.observe(lagMs)) {
      const { isLate } = this.#lagGuard;
      this.cells.set("isLate", isLate ? 1 : 0);
      if (isLate)
        this.logger.warn("A worker does not keep up: new requests are refused", { lag_ms: Math.round(lagMs) });
      else this.logger.warn("A worker keeps up again: new requests are served");
    }
    this.isOverloaded = this.#lagGuard.isLate || this.cells.get("isMemoryShort") === 1;
  }

  #reportLag(): void {
    if (this.#lag === undefined) return;
    this.cells.set("eventLoopLagP99Ms", Math.max(0, this.#lag.percentile(99) / 1e6 - LAG_RESOLUTION_MS));
    this.#lag.reset();
  }
}

/** What a configuration cannot be compiled for. Validation is to find it before; if it did not, this must not cost a worker. */
function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof ConfigurationRefused) return error.problems;
  return [
    { path: "", message: `the configuration cannot be compiled: ${error instanceof Error ? error.message : error}` },
  ];
}
