import { Worker } from "node:worker_threads";
import type { Configuration } from "../../config/configuration.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import { ConfigurationRefused } from "../configuration-refused.ts";
import { WorkerCells } from "../counters/shared-state.ts";
import type { TlsMaterial } from "../tls/tls-material.ts";
import type { SharedUpstream, SharedUpstreams } from "../upstream/health/shared-upstream.ts";
import { routeKey, upstreamKey } from "../upstream/upstream-settings.ts";
import type { LineSink } from "./line-sink.ts";
import type { Command, PlannedListener, Report, WorkerBirth } from "./worker-protocol.ts";

/** A configuration with the addresses that its listeners have. */
export interface Plan {
  readonly configuration: Configuration;
  readonly listeners: readonly PlannedListener[];
  /** Where each route is counted, in the order of the configuration's routes. */
  readonly slots: readonly number[];
  /** The memory of upstreams that workers know something of together. */
  readonly shared: SharedUpstreams;
  readonly tls: TlsMaterial;
  /** Where `tls` came from. */
  readonly tlsFiles: readonly string[];
}

export type WorkerState = "starting" | "running" | "crashed" | "stopped";

/** The thread went away before it answered. */
export class WorkerLost extends Error {}

export interface WorkerSlotOptions {
  readonly id: number;
  readonly entry: URL;
  /** The memory that its threads count in, one after another. */
  readonly row: SharedArrayBuffer;
  /** Without one, lines of the access log are not written. */
  readonly accessLog: LineSink | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Resources sent at a time: a slice is taken in by a worker within a few milliseconds, between two turns of its loop. */
const SLICE = 256;
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
  isDraining = false;
  readonly #options: WorkerSlotOptions;
  readonly #logger: Logger;
  #thread: Worker | undefined;
  #startedMs = 0;
  #backOffMs = FIRST_BACK_OFF_MS;
  #inEffect: Plan | undefined;
  /** What the thread has ready to take effect. */
  #prepared: Plan | undefined;
  #answer: PromiseWithResolvers<number> | undefined;
  #ready: PromiseWithResolvers<void> | undefined;

  constructor(options: WorkerSlotOptions) {
    this.id = options.id;
    this.#options = options;
    this.#logger = options.logger.child({ worker: options.id });
  }

  async start(): Promise<void> {
    const { id, entry, row, clock } = this.#options;
    const workerData: WorkerBirth = { worker: id, row };
    const ready = Promise.withResolvers<void>();
    this.#ready = ready;
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
    await this.#load();
    if (this.state === "starting") this.state = "running";
  }

  /** Answers how long it took, by phase. A slot whose thread is being replaced has nothing to do. */
  async prepare(plan: Plan): Promise<{ compileMs: number; listenMs: number }> {
    this.#prepared = undefined;
    if (this.state !== "running") return { compileMs: 0, listenMs: 0 };
    return this.#send(plan);
  }

  /** Puts into effect what was prepared. Answers how long that took. */
  async commit(plan: Plan): Promise<number> {
    this.#inEffect = plan;
    if (this.#prepared !== plan) return 0; // The replacement takes it from #inEffect.
    this.#prepared = undefined;
    try {
      return await this.#call({ type: "commit" });
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
    if (this.state === "running") await this.#call({ type: "renew", tls: plan.tls }).catch(ignoreLoss);
  }

  async drain(isDraining: boolean): Promise<void> {
    this.isDraining = isDraining;
    if (this.state === "running") await this.#call({ type: "drain", isDraining }).catch(ignoreLoss);
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

  async #load(): Promise<void> {
    if (this.isDraining) await this.#call({ type: "drain", isDraining: true });
    for (let plan = this.#inEffect; plan !== undefined; ) {
      await this.#send(plan);
      await this.#call({ type: "commit" });
      if (plan === this.#inEffect) return;
      plan = this.#inEffect; // It was replaced meanwhile.
    }
  }

  async #send(plan: Plan): Promise<{ compileMs: number; listenMs: number }> {
    const { settings, upstreams, routes } = plan.configuration;
    let compileMs = await this.#call({ type: "begin", settings, listeners: plan.listeners, tls: plan.tls });
    for (let at = 0; at < upstreams.length; at += SLICE)
      compileMs += await this.#call({
        type: "upstreams",
        upstreams: upstreams.slice(at, at + SLICE),
        shared: sharedBy(upstreams.slice(at, at + SLICE).map(upstreamKey), plan.shared),
      });
    for (let at = 0; at < routes.length; at += SLICE)
      compileMs += await this.#call({
        type: "routes",
        routes: routes.slice(at, at + SLICE),
        slots: plan.slots.slice(at, at + SLICE),
        shared: sharedBy(routes.slice(at, at + SLICE).map(routeKey), plan.shared),
      });
    const listenMs = await this.#call({ type: "listen" });
    this.#prepared = plan;
    return { compileMs, listenMs };
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
