import type { MemorySample } from "../memory-samples.ts";
import { quantile } from "../statistics.ts";

/** The part of a soak that is for warming up, when caches and heaps grow to what they need. */
const WARM_UP = 0.2;
/** By how much the last part may be above the first after warming up, before memory is called growing. */
const MAX_GROWTH = 0.1;

export interface MemoryTrend {
  /** Medians of the first and the last quarter of what follows the warm-up. */
  readonly earlyBytes: number;
  readonly lateBytes: number;
  readonly peakBytes: number;
  readonly isFlat: boolean;
}

/** @throws RangeError when there are too few samples to say anything. */
export function memoryTrend(samples: readonly MemorySample[]): MemoryTrend {
  const warm = samples.slice(Math.ceil(samples.length * WARM_UP)).map(({ rssBytes }) => rssBytes);
  const quarter = Math.floor(warm.length / 4);
  const earlyBytes = quantile(warm.slice(0, quarter), 0.5);
  const lateBytes = quantile(warm.slice(-quarter), 0.5);
  return { earlyBytes, lateBytes, peakBytes: Math.max(...warm), isFlat: lateBytes <= earlyBytes * (1 + MAX_GROWTH) };
}
