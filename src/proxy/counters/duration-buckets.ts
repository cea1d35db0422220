/**
 * The durations of one route, in the buckets that monitoring sees. Coarser than latency-histogram.ts, since there is one
 * for each route; the first two bounds are for what a gateway mostly answers in.
 */
const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

export const DURATION_BOUNDS_SECONDS: readonly number[] = BOUNDS_MS.map((ms) => ms / 1_000);

/** One for each bound, and one for what is longer than the last. */
export const DURATION_BUCKETS = BOUNDS_MS.length + 1;

/** The first bucket whose bound is not below the duration. */
export function durationBucketOf(durationMs: number): number {
  let bucket = 0;
  while (bucket < BOUNDS_MS.length && durationMs > BOUNDS_MS[bucket]!) bucket++;
  return bucket;
}
