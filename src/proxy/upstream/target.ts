import type { PeakEwma } from "./balancer/peak-ewma.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** A target as requests are sent to it. Lives for as long as configurations name it in the same place. */
export class Target {
  readonly pool: UpstreamPool;
  /** Put before the path of every request; empty when there is nothing to put. */
  readonly basePath: string;
  /** Requests of this worker that it has and has not finished. */
  inFlight = 0;
  /** How long its answers to this worker take to begin; measured where the balancer goes by it. */
  latency: PeakEwma | undefined;

  constructor(pool: UpstreamPool, basePath: string) {
    this.pool = pool;
    this.basePath = basePath;
  }

  /** Its response to a request has begun. */
  answered(latencyMs: number, nowMs: number): void {
    this.latency?.observe(latencyMs, nowMs);
  }
}
