import { PeakEwma } from "./balancer/peak-ewma.ts";

/** What a worker asks of a target now. Goes on for as long as configurations name the target in the same place. */
export class TargetLoad {
  /** Requests that it has and has not finished. */
  inFlight = 0;
  /** How long its answers take to begin; measured where the balancer goes by it. */
  readonly latency = new PeakEwma();
}
