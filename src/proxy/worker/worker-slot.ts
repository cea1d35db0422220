import { Worker } from "node:worker_threads";
import type { Configuration } from "../../config/configuration.ts";
import type { ConfigurationChange } from "../../config/configuration-change.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import { ConfigurationRefused } from "../configuration-refused.ts";
import { WorkerCells } from "../counters/shared-state.ts";
import type { EventTotals } from "../plugin/event-counts.ts";
import type { TlsMaterial } from "../tls/tls-material.ts";
import type { SharedUpstream, SharedUpstreams } from "../upstream/health/shared-upstream.ts";
import { retryKey, routeKey, upstreamKey } from "../upstream/upstream-settings.ts";
import type { LineSink } from "./line-sink.ts";
import type { Command, Draining, PlannedListener, Report, WorkerBirth } from "./worker-protocol.ts";

/** A configuration with the addresses that its listeners have. */
export interface Plan {
  /** With the targets that were discovered. */
  readonly configuration: Configuration;
  readonly listeners: readonly PlannedListener[];
  /** The memory of upstreams that workers know something of together. */
  readonly shared: SharedUpstreams;
  readonly tls: TlsMaterial;
  /** Where `tls` came from. */
  readonly tlsFiles: readonly string[];
}

/** What turns the plan in effect into the next. */
export interface PlanChange {
  readonly from: Plan;
  readonly to: Plan;
  readonly change: ConfigurationChange;
}

export type WorkerState = "starting" | "running" | "crashed" | "stopped";

/** The thread went away before it answered. */
export class WorkerLost extends Error {}

type TableContent = Pick<Configuration, "upstreams" | "routes">;

export interface PhaseDurations {
  readonly compileMs: number;
  readonly listenMs: number;
}

export interface WorkerSlotOptions {
  readonly id: number;
  readonly entry: URL;
  /** The memory that its threads count in, one after another. */
  readonly row: SharedArrayBuffer;
  /** Where a route is counted. */
  readonly slotOf: (route: string) => number;
  /** See WorkerBirth. */
  readonly plugins: readonly string[];
  readonly shared: SharedArrayBuffer;
  readonly events: EventTotals;
  /** Without one, lines of the access log are not written. */
  readonly accessLog: LineSink | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Resources sent at a time: a slice is taken in by a worker within a millisecond or so, between two turns of its loop. */
const SLICE = 64;
/** The same while it serves nobody yet, who could be kept waiting. */
const FIRST_SLICE = 1_024;
/** Changes that a thread that is still being loaded catches up with; with more it is loaded anew. */
const MAX_MISSED = 1_000;
const FIRST_BACK_OFF_MS = 100;
const MAX_BACK_OFF_MS = 10_000;
/** A worker that lived this long has shown that it can. */
const PROBATION_MS = 60_000;

/**
 * The place of one worker. A thread that crashes is replaced by a new one, at once the first time and then more and more slowly,
 * which is given the configuration that is in effect by then.
 */
export class WorkerSlot {
  readonly id: number;
  restarts = 0;
  state: WorkerState = "starting";
  draining: Draining | undefined;
  readonly #options: WorkerSlotOptions;
  readonly #logger: Logger;
  #thread: Worker | undefined;
  #startedMs = 0;
  #backOffMs = FIRST_BACK_OFF_MS;
  #inEffect: Plan | undefined;
  #slice = FIRST_SLICE;
  /** What the thread has ready to take effect. */
  #prepared: Plan | undefined;
  /** While the thread is loaded: what came into effect since. Undefined when that is too much or not a change. */
  #missed: PlanChange[] | undefined = [];
  #answer: PromiseWithResolvers<number> | undefined;
  #ready: PromiseWithResolvers<void> | undefined;

  constructor(options: WorkerSlotOptions) {
    this.id = options.id;
    this.#options = options;
    this.#logger = options.logger.child({ worker: options.id });
  }

  async start(): Promise<void> {
    const { id, entry, row, plugins, shared, clock } = this.#options;
    const workerData: WorkerBirth = { worker: id, row, plugins, shared };
    const ready = Promise.withResolvers<void>();
    this.#ready = ready;
    this.#slice = FIRST_SLICE;
    this.#startedMs = clock.monotonicMs();
    const thread = new Worker(entry, { workerData, name: `runway-worker-${id}` });
    this.#thread = thread;
    let cause: unknown;
    thread.on("message", (report: Report) => this.#onReport(report));
    thread.on("error", (error) => {
      cause = error;
    });
    thread.on("exit", (code) => this.#onExit(thread, cause ?? `exit code ${code}`));
    await ready.promise;
    if (this.draining !== undefined) await this.#call({ type: "drain", ...this.draining });
    await this.#load();
  }

  /**
   * Answers how long it took, by phase. A slot whose thread is being replaced has nothing to do.
   * @param change how to come to the plan from the one in effect, where that is less than all of it
   */
  async prepare(plan: Plan, change?: PlanChange): Promise<PhaseDurations> {
    this.#prepared = undefined;
    if (this.state !== "running") return { compileMs: 0, listenMs: 0 };
    return change !== undefined && change.from === this.#inEffect ? this.#sendChange(change) : this.#send(plan);
  }

  /** Puts into effect what was prepared. Answers how long that took. */
  async commit(plan: Plan, change?: PlanChange): Promise<number> {
    const isPrepared = this.#prepared === plan;
    const isNext = change?.from === this.#inEffect;
    this.#prepared = undefined;
    this.#inEffect = plan;
    if (this.state === "starting") this.#miss(isNext ? change : undefined);
    if (this.state !== "running") return 0;
    try {
      // A thread that was still being loaded when the others prepared has not heard of it.
      if (!isPrepared) await (isNext && change !== undefined ? this.#sendChange(change) : this.#send(plan));
      return await this.#commit();
    } catch (error) {
      if (error instanceof WorkerLost) return 0;
      throw error;
    }
  }

  async abort(): Promise<void> {
    this.#prepared = undefined;
    if (this.state === "running") await this.#call({ type: "abort" }).catch(ignoreLoss);
  }

  /** What is in effect goes on with other certificates. */
  async renew(plan: Plan): Promise<void> {
    this.#inEffect = plan;
    if (this.state === "starting") this.#miss(undefined);
    if (this.state === "running") await this.#call({ type: "renew", tls: plan.tls }).catch(ignoreLoss);
  }

  async drain(draining: Draining): Promise<void> {
    this.draining = draining;
    if (this.state === "running") await this.#call({ type: "drain", ...draining }).catch(ignoreLoss);
  }

  /** Lets requests in flight finish until `deadline`, then drops them. */
  async stop(deadline: AbortSignal): Promise<void> {
    const wasRunning = this.state === "running";
    this.state = "stopped";
    const thread = this.#thread;
    if (thread === undefined) return;
    if (wasRunning && !deadline.aborted) {
      const late = Promise.withResolvers<void>();
      deadline.addEventListener("abort", () => late.resolve(), { once: true });
      await Promise.race([this.#call({ type: "stop" }).catch(ignoreLoss), late.promise]);
    }
    await thread.terminate();
  }

  #miss(change: PlanChange | undefined): void {
    if (change === undefined || this.#missed?.length === MAX_MISSED) this.#missed = undefined;
    else this.#missed?.push(change);
  }

  /** Gives the thread all that is in effect, then what came into effect meanwhile, until it is level with the others. */
  async #load(): Promise<void> {
    do {
      this.#missed = [];
      if (this.#inEffect === undefined) break;
      await this.#send(this.#inEffect);
      await this.#commit();
      for (let change = this.#missed?.shift(); change !== undefined; change = this.#missed?.shift()) {
        await this.#sendChange(change);
        await this.#commit();
      }
    } while (this.#missed === undefined);
    if (this.state === "starting") this.state = "running";
  }

  async #send(plan: Plan): Promise<PhaseDurations> {
    const { settings, consumers, plugins, owned } = plan.configuration;
    const { listeners, tls } = plan;
    let compileMs = await this.#call({ type: "begin", settings, listeners, tls, plugins: { plugins, owned } });
    for (let at = 0; at < consumers.length; at += this.#slice)
      compileMs += await this.#call({ type: "consumers", consumers: consumers.slice(at, at + this.#slice) });
    compileMs += await this.#sendTable(plan.configuration, plan.shared);
    const listenMs = await this.#call({ type: "listen" });
    this.#prepared = plan;
    return { compileMs, listenMs };
  }

  async #sendChange({ from, to, change }: PlanChange): Promise<PhaseDurations> {
    const { removedUpstreams, removedRoutes } = change;
    const doors = from.listeners === to.listeners ? undefined : { listeners: to.listeners, tls: to.tls };
    let compileMs = await this.#call({ type: "change", doors });
    compileMs += await this.#sendTable(change, to.shared);
    if (removedUpstreams.length + removedRoutes.length > 0)
      compileMs += await this.#call({ type: "remove", upstreams: removedUpstreams, routes: removedRoutes });
    const listenMs = doors === undefined ? 0 : await this.#call({ type: "listen" });
    this.#prepared = to;
    return { compileMs, listenMs };
  }

  async #sendTable({ upstreams, routes }: TableContent, shared: SharedUpstreams): Promise<number> {
    let compileMs = 0;
    for (let at = 0; at < upstreams.length; at += this.#slice) {
      const slice = upstreams.slice(at, at + this.#slice);
      const known = sharedBy(slice.map(upstreamKey), shared);
      compileMs += await this.#call({ type: "upstreams", upstreams: slice, shared: known });
    }
    for (let at = 0; at < routes.length; at += this.#slice) {
      const slice = routes.slice(at, at + this.#slice);
      const slots = slice.map(({ id }) => this.#options.slotOf(id));
      compileMs += await this.#call({
        type: "routes",
        routes: slice,
        slots,
        shared: sharedBy([...slice.map(routeKey), ...slice.map(retryKey)], shared),
      });
    }
    return compileMs;
  }

  /** From now on it serves. */
  #commit(): Promise<number> {
    this.#slice = SLICE;
    return this.#call({ type: "commit" });
  }

  async #call(command: Command): Promise<number> {
    const thread = this.#thread;
    while (this.#answer !== undefined) await this.#answer.promise.catch(() => {});
    if (thread === undefined || thread !== this.#thread) throw new WorkerLost("the worker is gone");
    const answer = Promise.withResolvers<number>();
    this.#answer = answer;
    thread.postMessage(command);
    return answer.promise;
  }

  #onReport(report: Report): void {
    if (report.type === "log") {
      this.#logger[report.level](report.message, report.fields);
      return;
    }
    if (report.type === "events") {
      this.#options.events.add(report.counts);
      return;
    }
    if (report.type === "access") {
      this.#options.accessLog?.write(report.octets, report.lines);
      Atomics.add(report.taken, 0, 1);
      return;
    }
    if (report.type === "ready") {
      this.#ready?.resolve();
      return;
    }
    const answer = this.#answer;
    this.#answer = undefined;
    if (report.type === "done") answer?.resolve(report.tookMs);
    else answer?.reject(new ConfigurationRefused(report.problems));
  }

  #onExit(thread: Worker, cause: unknown): void {
    if (thread !== this.#thread) return;
    this.#thread = undefined;
    new WorkerCells(this.#options.row).resetGauges();
    this.#prepared = undefined;
    const lost = new WorkerLost("the worker is gone", { cause });
    this.#answer?.reject(lost);
    this.#answer = undefined;
    this.#ready?.reject(lost);
    if (this.state === "stopped") return;
    this.state = "crashed";
    const { clock } = this.#options;
    if (clock.monotonicMs() - this.#startedMs >= PROBATION_MS) this.#backOffMs = FIRST_BACK_OFF_MS;
    const backOffMs = this.#backOffMs;
    this.#backOffMs = Math.min(MAX_BACK_OFF_MS, backOffMs * 2);
    this.#logger.error("A worker crashed and is being replaced", { reason: describe(cause), back_off_ms: backOffMs });
    clock.after(backOffMs, () => this.#replace());
  }

  #replace(): void {
    if (this.state === "stopped") return;
    this.restarts++;
    this.state = "starting";
    this.start().catch((error: unknown) => {
      this.#logger.error("A replacement for a worker could not start", { reason: describe(error) });
      // It may live but not have its listeners: end it, so that it is tried again.
      this.#thread?.terminate().catch(() => {});
    });
  }
}

/** Those of these owners. */
function sharedBy(keys: readonly string[], shared: SharedUpstreams): SharedUpstreams {
  const some = new Map<string, SharedUpstream>();
  if (shared.size === 0) return some;
  for (const key of keys) {
    const one = shared.get(key);
    if (one !== undefined) some.set(key, one);
  }
  return some;
}

function ignoreLoss(error: unknown): number {
  if (error instanceof WorkerLost) return 0;
  throw error;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
