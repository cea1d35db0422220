import type { Clock } from "../core/clock.ts";
import { RunwayError } from "../core/failure.ts";
import { type ApplyReport, ApplyWait } from "./apply-wait.ts";
import type { FleetStream } from "./fleet-stream.ts";

const MAX_WAITS = 100;

/** Everybody who waits for the fleet to apply something. */
export class ApplyWaits {
  readonly #clock: Clock;
  readonly #waits = new Set<ApplyWait>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param startMs see ApplyWait
   * @throws RunwayError overloaded, when too many wait already
   */
  begin(
    version: number,
    streams: Iterable<FleetStream>,
    { startMs, timeoutMs }: { readonly startMs: number; readonly timeoutMs: number },
  ): Promise<ApplyReport> {
    if (this.#waits.size >= MAX_WAITS) throw new RunwayError("overloaded", "too many requests wait for the fleet");
    const { promise, resolve } = Promise.withResolvers<ApplyReport>();
    const wait = new ApplyWait(version, streams, startMs, (report) => {
      cancel();
      this.#waits.delete(wait);
      resolve(report);
    });
    const cancel = this.#clock.after(timeoutMs, () => wait.expire());
    this.#waits.add(wait);
    wait.begin(this.#clock.monotonicMs());
    return promise;
  }

  /** There is news of a node. */
  look(stream: FleetStream): void {
    if (this.#waits.size === 0) return;
    const nowMs = this.#clock.monotonicMs();
    for (const wait of this.#waits) wait.look(stream, nowMs);
  }
}
