import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import { WorkerCells } from "../counters/shared-state.ts";
import type { EventTotals } from "../plugin/event-counts.ts";
import type { LineSink } from "./line-sink.ts";
import type { Plan, PlanChange } from "./plan.ts";
import { type PhaseDurations, PlanTransfer } from "./plan-transfer.ts";
import type { Command, Draining, WorkerBirth } from "./worker-protocol.ts";
import { type Notice, WorkerLost, WorkerThread } from "./worker-thread.ts";

export type WorkerState = "starting" | "running" | "crashed" | "stopped";

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
  #thread: WorkerThread | undefined;
  #transfer: PlanTransfer | undefined;
  #startedMs = 0;
  #backOffMs = FIRST_BACK_OFF_MS;
  #inEffect: Plan | undefined;
  /** What the thread has ready to take effect. */
  #prepared: Plan | undefined;
  /** While the thread is loaded: what came into effect since. Undefined when that is too much or not a change. */
  #missed: PlanChange[] | undefined = [];

  constructor(options: WorkerSlotOptions) {
    this.id = options.id;
    this.#options = options;
    this.#logger = options.logger.child({ worker: options.id });
  }

  async start(): Promise<void> {
    const { id, entry, row, plugins, shared, slotOf, clock } = this.#options;
    const birth: WorkerBirth = { worker: id, row, plugins, shared };
    const thread: WorkerThread = new WorkerThread({
      ...{ entry, birth },
      onNotice: (notice) => this.#onNotice(notice),
      onExit: (cause) => this.#onExit(thread, cause),
    });
    this.#thread = thread;
    this.#transfer = new PlanTransfer(thread, slotOf);
    this.#startedMs = clock.monotonicMs();
    await thread.start();
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
    const durations = await this.#reached(this.#transfer).send(plan);
    this.#prepared = plan;
    return durations;
  }

  async #sendChange(step: PlanChange): Promise<PhaseDurations> {
    const durations = await this.#reached(this.#transfer).sendChange(step);
    this.#prepared = step.to;
    return durations;
  }

  async #commit(): Promise<number> {
    return this.#reached(this.#transfer).commit();
  }

  async #call(command: Command): Promise<number> {
    return this.#reached(this.#thread).call(command);
  }

  #reached<Way>(way: Way | undefined): Way {
    if (way === undefined) throw new WorkerLost("the worker is gone");
    return way;
  }

  #onNotice(notice: Notice): void {
    switch (notice.type) {
      case "log":
        this.#logger[notice.level](notice.message, notice.fields);
        break;
      case "events":
        this.#options.events.add(notice.counts);
        break;
      case "access":
        this.#options.accessLog?.write(notice.octets, notice.lines);
        Atomics.add(notice.taken, 0, 1);
    }
  }

  #onExit(thread: WorkerThread, cause: unknown): void {
    if (thread !== this.#thread) return;
    this.#thread = undefined;
    this.#transfer = undefined;
    this.#prepared = undefined;
    new WorkerCells(this.#options.row).resetGauges();
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

function ignoreLoss(error: unknown): number {
  if (error instanceof WorkerLost) return 0;
  throw error;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
