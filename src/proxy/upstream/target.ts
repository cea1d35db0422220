import type { RequestQueue } from "./resilience/request-queue.ts";
import type { TargetGuard } from "./resilience/target-guard.ts";
import type { TargetLoad } from "./target-load.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** What a failure counts as where response times are compared, lest a target that fails at once looks fast. */
const FAILURE_MS = 5_000;

export interface TargetOptions {
  readonly pool: UpstreamPool;
  /** Put before the path of every request; empty when there is nothing to put. */
  readonly basePath: string;
  readonly load: TargetLoad;
  /** Undefined where nothing is made of the fate of requests. */
  readonly guard?: TargetGuard | undefined;
  /** Whether somebody goes by how long it takes to answer. */
  readonly isTimed?: boolean;
  /** Of requests that wait for a place here or at another target. */
  readonly queue?: RequestQueue | undefined;
}

/** A target as requests are sent to it, and told what becomes of each. */
export class Target {
  readonly pool: UpstreamPool;
  readonly basePath: string;
  readonly load: TargetLoad;
  readonly guard: TargetGuard | undefined;
  readonly isTimed: boolean;
  readonly #queue: RequestQueue | undefined;

  constructor({ pool, basePath, load, guard, isTimed = false, queue }: TargetOptions) {
    this.pool = pool;
    this.basePath = basePath;
    this.load = load;
    this.guard = guard;
    this.isTimed = isTimed;
    this.#queue = queue;
  }

  /** Its response to a request has begun; `latencyMs` counts where it is timed. */
  answered(status: number, latencyMs = 0, nowMs = 0): void {
    const isFailure = status >= 500;
    if (this.isTimed) this.load.latency.observe(isFailure ? Math.max(latencyMs, FAILURE_MS) : latencyMs, nowMs);
    this.guard?.record(isFailure);
  }

  /** It did not answer a request, or not to the end. */
  failed(nowMs: number): void {
    if (this.isTimed) this.load.latency.observe(FAILURE_MS, nowMs);
    this.guard?.record(true);
  }

  /** A request to it is over, so there may be a place for another one. */
  settled(): void {
    this.#queue?.serve();
  }

  /** A request that was to go to it says nothing about it. */
  released(): void {
    this.guard?.release();
  }
}
