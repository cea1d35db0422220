import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import type { WorkerCells } from "../counters/shared-state.ts";
import { LoopLagGuard } from "./loop-lag-guard.ts";

const LAG_RESOLUTION_MS = 20;

export interface LoopWatchOptions {
  /** Between two looks. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly cells: WorkerCells;
  readonly logger: Logger;
}

/** Knows how late the event loop of a worker is, and whether it keeps up. */
export class LoopWatch {
  readonly #options: LoopWatchOptions;
  readonly #guard = new LoopLagGuard();
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined;
  #lookedMs = 0;

  constructor(options: LoopWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
    this.#delay.enable();
    this.#lookedMs = this.#options.clock.monotonicMs();
  }

  /** 0 means that it may be late any time. */
  limit(maxLagMs: number): void {
    this.#guard.maxLagMs = maxLagMs;
  }

  /** Answers whether the loop does not keep up. */
  look(): boolean {
    const { intervalMs, clock, cells, logger } = this.#options;
    const nowMs = clock.monotonicMs();
    const lagMs = nowMs - this.#lookedMs - intervalMs;
    this.#lookedMs = nowMs;
    if (this.#guard.observe(lagMs)) {
      const { isLate } = this.#guard;
      cells.set("isLate", isLate ? 1 : 0);
      if (isLate) logger.warn("A worker does not keep up: new requests are refused", { lag_ms: Math.round(lagMs) });
      else logger.warn("A worker keeps up again: new requests are served");
    }
    return this.#guard.isLate;
  }

  /** Tells the supervisor how late it was since the last time. */
  report(): void {
    if (this.#delay === undefined) return;
    this.#options.cells.set("eventLoopLagP99Ms", Math.max(0, this.#delay.percentile(99) / 1e6 - LAG_RESOLUTION_MS));
    this.#delay.reset();
  }
}
