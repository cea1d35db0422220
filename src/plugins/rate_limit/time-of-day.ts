import type { Clock } from "../../sdk/index.ts";

/** How long the time of day is told from another clock; it may be set meanwhile. */
const MAX_AGE_MS = 1_000;

/**
 * What tells milliseconds since 1970 from those of a clock that never goes back, which is asked anyway. To ask the system for the
 * time of day is dearer than all else that telling a client about its limit takes.
 */
export function timeOfDayBy(clock: Pick<Clock, "now">): (nowMs: number) => number {
  let aheadMs = 0;
  let lookedMs = Number.NEGATIVE_INFINITY;
  return (nowMs) => {
    if (nowMs - lookedMs >= MAX_AGE_MS) {
      lookedMs = nowMs;
      aheadMs = clock.now() - nowMs;
    }
    return nowMs + aheadMs;
  };
}
