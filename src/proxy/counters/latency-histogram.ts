/**
 * Latencies in buckets whose width grows with their value: eight to each doubling, so that a quantile read from them is at
 * most an eighth too high, from a microsecond to an hour in 256 numbers.
 */
export const BUCKETS = 256;

const SUB_BITS = 3;
const SUB_BUCKETS = 1 << SUB_BITS;

export function bucketOf(latencyMs: number): number {
  const us = Math.min(0x7fffffff, Math.max(0, latencyMs * 1_000)) | 0;
  if (us < SUB_BUCKETS) return us;
  const exponent = 31 - Math.clz32(us);
  return (exponent - SUB_BITS + 1) * SUB_BUCKETS + ((us >> (exponent - SUB_BITS)) & (SUB_BUCKETS - 1));
}

/** The latency below which everything in the bucket lies. */
export function upperBoundMs(bucket: number): number {
  if (bucket < SUB_BUCKETS) return (bucket + 1) / 1_000;
  const shift = Math.floor(bucket / SUB_BUCKETS) - 1;
  return ((SUB_BUCKETS + (bucket % SUB_BUCKETS) + 1) * 2 ** shift) / 1_000;
}

/** The latency that the share `quantile` of what was counted does not exceed; 0 when nothing was. */
export function quantileMs(counts: Float64Array, quantile: number): number {
  let rest = Math.ceil(counts.reduce((sum, count) => sum + count, 0) * quantile);
  if (rest === 0) return 0;
  for (const [bucket, count] of counts.entries()) {
    rest -= count;
    if (rest <= 0) return upperBoundMs(bucket);
  }
  return 0;
}
