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
import type { BoundListener } from "../listener/bound-listener.ts";
import { EventCounts } from "../plugin/event-counts.ts";
import { PluginRuntime } from "../plugin/plugin-runtime.ts";
import { CompiledConfiguration } from "../route/compiled-configuration.ts";
import type { TableDraft } from "../route/table-draft.ts";
import type { TlsMaterial } from "../tls/tls-material.ts";
import { NameResolver } from "../upstream/discovery/name-resolver.ts";
import { UpstreamPools } from "../upstream/upstream-pools.ts";
import type { Gateway } from "./gateway.ts";
import { LoopWatch } from "./loop-watch.ts";
import { WorkerListeners } from "./worker-listeners.ts";
import { WorkerLogger } from "./worker-logger.ts";
import type { Command, Doors, Draining, Post } from "./worker-protocol.ts";

const SWEEP_INTERVAL_MS = 50;
/** What is gathered is told once in so many sweeps. */
const REPORT_SWEEPS = 20;

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
  isOverloaded = false;
  dateLine = "";
  readonly requestIds = new RequestIds();
  readonly plugins: PluginRuntime;
  readonly #events: EventCounts;
  readonly #post: Post;
  readonly #listeners: WorkerListeners;
  readonly #pools = new UpstreamPools(this);
  #configuration: CompiledConfiguration | undefined;
  #preparation: Preparation | undefined;
  #stopped: (() => void) | undefined;
  #sweeps = 0;
  readonly #loop: LoopWatch;

  constructor(index: number, clock: Clock, cells: WorkerCells, post: Post, { plugins, memory }: WorkerPlugins) {
    this.clock = clock;
    this.cells = cells;
    this.logger = new WorkerLogger(clock, post);
    this.names = new NameResolver(clock, this.logger);
    this.accessLog = new AccessLog(clock, cells, post);
    this.sweep = new Sweep(clock, SWEEP_INTERVAL_MS, () => this.#afterSweep());
    this.#post = post;
    this.#events = new EventCounts(post);
    this.plugins = new PluginRuntime({ plugins, memory, events: this.#events, clock, logger: this.logger });
    this.#listeners = new WorkerListeners(this, index);
    this.#loop = new LoopWatch({ intervalMs: SWEEP_INTERVAL_MS, clock, cells, logger: this.logger });
  }

  get configuration(): CompiledConfiguration {
    if (this.#configuration === undefined) throw new Error("a request came before any configuration");
    return this.#configuration;
  }

  start(): void {
    this.#loop.start();
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
    const { doors, opened } = this.#preparation ?? {};
    return doors === undefined || opened === undefined ? [] : this.#listeners.open(doors.listeners, opened);
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
      this.#loop.limit(configuration.maxEventLoopLagMs);
    }
    if (doors !== undefined) this.#listeners.replace(doors, opened);
  }

  /** Closed doors open again with the others of the worker, and so does what was opened meanwhile. */
  async #drain({ isDraining, isClosed }: Draining): Promise<Problem[]> {
    this.isDraining = isDraining;
    return this.#listeners.shut(isClosed);
  }

  #renew(tls: TlsMaterial): void {
    this.#configuration?.renew(tls.upstream);
    this.#listeners.renew(tls);
  }

  #abort(): void {
    const preparation = this.#preparation;
    if (preparation === undefined) return;
    this.#preparation = undefined;
    for (const bound of preparation.opened.values()) bound.close();
    preparation.draft.abandon();
    if (preparation.configuration !== this.#configuration) preparation.configuration.abandon();
  }

  #stop(): Promise<void> {
    this.#abort();
    this.isDraining = true;
    this.#listeners.closeAll();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stopped = resolve;
    return promise;
  }

  #afterSweep(): void {
    this.isOverloaded = this.#loop.look() || this.cells.get("isMemoryShort") === 1;
    this.dateLine = `Date: ${new Date(this.clock.now()).toUTCString()}\r\n`;
    const areAllClosed = this.#listeners.sweep(this.#stopped !== undefined);
    if (areAllClosed && this.#stopped !== undefined) {
      this.#flush();
      this.#stopped();
    }
    if (++this.#sweeps % REPORT_SWEEPS !== 0) return;
    this.#loop.report();
    this.#flush();
  }

  #flush(): void {
    this.accessLog.flush();
    this.#events.flush();
  }
}

/** What a configuration cannot be compiled for. Validation is to find it before; if it did not, this must not cost a worker. */
function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof ConfigurationRefused) return error.problems;
  return [
    { path: "", message: `the configuration cannot be compiled: ${error instanceof Error ? error.message : error}` },
  ];
}
